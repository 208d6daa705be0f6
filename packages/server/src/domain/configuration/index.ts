export { applyConfiguration, planConfiguration } from "./apply-configuration.ts";
export { exportConfiguration } from "./export-configuration.ts";
export { checkSupported, parseYaml, readLiterals, writeLiterals } from "./parse-configuration.ts";
export { writeYaml } from "./write-yaml.ts";
