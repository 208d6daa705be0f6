/** The languages of Django's own list, by code. */
const CODES = `
af ar ar-dz ast az bg be bn br bs ca ckb cs cy da de dsb el en en-au en-gb eo es es-ar es-co es-mx es-ni
es-ve et eu fa fi fr fy ga gd gl he hi hr hsb hu hy ia id ig io is it ja ka kab kk km kn ko ky lb lt lv
mk ml mn mr ms my nb ne nl nn os pa pl pt pt-br ro ru sk sl sq sr sr-latn sv sw ta te tg th tk tr tt udm
ug uk ur uz vi zh-hans zh-hant
`;

const names = new Intl.DisplayNames("en", { type: "language" });

export const LANGUAGES: Readonly<Record<string, string>> = Object.fromEntries(
  CODES.trim()
    .split(/\s+/)
    .map((code) => [code, names.of(code) ?? code]),
);
