import { expect, it } from "vitest";
import { parseYaml } from "./parse-configuration.ts";
import { writeYaml } from "./write-yaml.ts";

it("escapes what YAML does not allow as it is, so that every reader takes the file", async () => {
  const odd = "a\u007fb\u0085c\u0097d\u2028e\u2029f\ufeffg\uffffh";
  const tenant = { slug: "acme", name: odd, roles: [{ name: "r", description: odd }], [odd]: "as a key" };
  let text = "";
  for await (const piece of writeYaml({ version: "ostiary/v1", tenants: [tenant] } as never)) text += piece;
  // c-printable of YAML 1.2 §5.1, without what YAML 1.1 takes for a line break or a mark of the byte order.
  expect(text).toMatch(/^[\n\x20-\x7e\u00a0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd]+$/);
  expect(parseYaml(text)).toEqual({ version: "ostiary/v1", tenants: [tenant] });
});
