import { IdentityError } from "@ostiary/contracts";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parsePasswordHash } from "./parse-password-hash.ts";

const PASSWORD = "correct horse 电池";

// Made with argon2-cffi 25, passlib 1.7.4, bcrypt 4.0, Django 5.2 and glibc's crypt(3) for PASSWORD; the SHA-crypt
// vectors of the specification are in their own test below.
const VECTORS: [maker: string, format: string, text: string][] = [
  [
    "argon2-cffi",
    "argon2i",
    "$argon2i$v=19$m=256,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$t0wlwHcVWiRpVXVgTGFV/fn5dXZ52N8NH1WqD2mtBNo",
  ],
  [
    "argon2-cffi",
    "argon2i",
    "$argon2i$v=16$m=256,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$N3RGBONS9ndvOiRfpkGXivAocAU8yejlzGNz5/IpbUQ",
  ],
  [
    "argon2-cffi, version left out",
    "argon2i",
    "$argon2i$m=256,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$N3RGBONS9ndvOiRfpkGXivAocAU8yejlzGNz5/IpbUQ",
  ],
  [
    "argon2-cffi",
    "argon2d",
    "$argon2d$v=19$m=256,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$RnPf2J/KobPksPFUTrWC1z2WyzXg1n2aI+SxnTDvYVk",
  ],
  [
    "argon2-cffi",
    "argon2d",
    "$argon2d$v=16$m=256,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$+2joHV9psspPiq+557R2rmULLndj/Ge+sh7n1vjnTTU",
  ],
  [
    "argon2-cffi",
    "argon2id",
    "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$cZ4I4ao+Skn3X/dgAHd9CrMJrcCKGz5lj76SaKyWE+k",
  ],
  [
    "argon2-cffi",
    "argon2id",
    "$argon2id$v=16$m=256,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$NV0Fwzk/A400y5vn75BNxjtpT/TRVxJgC3zsknKMcpA",
  ],
  [
    "argon2-cffi, four lanes, 24 bytes",
    "argon2id",
    "$argon2id$v=19$m=1024,t=3,p=4$c29tZXNhbHQ$l4i3WuT0Bq7VHrR5O211Cdf+Wfy7RHEU",
  ],
  [
    "passlib",
    "argon2id",
    "$argon2id$v=19$m=512,t=2,p=4$RKgVwphz7j2n1Pp/b+19bw$FM4nBBn1cDsjfuMOK6g8Nm70C+/KEQN3ttvIdG2Y3fE",
  ],
  [
    "Django",
    "argon2id",
    "argon2$argon2id$v=19$m=102400,t=2,p=8$UW5sVkMxbGZFRGJhR2NmRXB0ZlppSg$0N2L/R9joEuZAjOQYdznQL5KeMDQXsUQGkLC72j5mXk",
  ],
  ["bcrypt", "bcrypt", "$2a$04$XMys/oDH6T5dwchozh6EduQRCQpiYoJhy0mER7DxUWHRabXv0mcW."],
  ["bcrypt", "bcrypt", "$2b$04$KmRmIgr/qhgfly6wid47N.I5xEqj668oUfNIO59yHc.LGCrDe6oMa"],
  ["bcrypt", "bcrypt", "$2y$04$XXXc/KWMijSkG.Uxrvgvxe7kSRdXhIvxn9faboVbLPGOn5GAE.o.a"],
  ["Django", "bcrypt", "bcrypt$$2b$04$J3hAYRNREfF6FCUfcaOGb.l7B9fDgA2hWXXSP1eZph1iyQ4LSTsCm"],
  ["Django", "bcrypt-sha256", "bcrypt_sha256$$2b$04$hv1c2lNiatMOA9HN9V2oKeXn5dKB8YFg1G2j3.AgrzH7ZaEjxBPi6"],
  [
    "Django",
    "pbkdf2-sha256",
    "pbkdf2_sha256$1000$seasaltseasalt12$10u0zDuRuxrcW3ENdMLILy/I/RT1HVI1yLvJ7Ph5rdw=",
  ],
  ["Django", "pbkdf2-sha1", "pbkdf2_sha1$1000$seasaltseasalt12$iW3nACu3ImmJEB63UgMTDriQMLs="],
  ["passlib", "pbkdf2-sha1", "$pbkdf2$1000$8N5by1lrjfE.RwjhnDPGWA$j/n4vLhBjID3zv.tN545RIHPzJ0"],
  [
    "passlib",
    "pbkdf2-sha256",
    "$pbkdf2-sha256$1000$IMT4P6e0dk6pNWbMWUupFQ$Wu3VpRPDLcJn3PBuZWhMj4D1FXzCBg5.MMidErXZSgY",
  ],
  [
    "passlib, written as the PHC string format does",
    "pbkdf2-sha256",
    "$pbkdf2-sha256$i=1000,l=32$IMT4P6e0dk6pNWbMWUupFQ$Wu3VpRPDLcJn3PBuZWhMj4D1FXzCBg5+MMidErXZSgY",
  ],
  [
    "passlib",
    "pbkdf2-sha512",
    "$pbkdf2-sha512$1000$3Ns757yXEsK4F0IoJYRwrg$aXkiBfJdYuF7x8udRRAkGMCxlraVjCxqkvr7HspMAvWaaMzXt7cDLjte1kqRXRs4SelSSK95CxZmYAigwgeRxg",
  ],
  [
    "Django",
    "scrypt",
    "scrypt$1024$seasaltseasalt12$8$5$XKS6ARkpsKUgGAeWrmwUPXVk/ZVmhnOrWhpeZ0GDeXDutayPe01QsArI7s9jgkZGjQVMls6mHc9UDrc411sEKA==",
  ],
  [
    "passlib",
    "scrypt",
    "$scrypt$ln=10,r=8,p=1$9f6/V4pRai1FiJGSkpJSag$rrFeFeo0jcroCrmEfIl96zp7fYP6zwl8R7VGe4Lkgvc",
  ],
  ["crypt(3)", "sha256-crypt", "$5$rounds=1000$saltstring$i5ugWFfm5825PQ6cEcMJRbb6v2vPUeOBrhJwmdoHt65"],
  ["crypt(3)", "sha256-crypt", "$5$saltstring$jj5HJNJAWQxSQY38y3vM6SvCqIqXSlWhMrS4dsW./T2"],
  [
    "crypt(3)",
    "sha512-crypt",
    "$6$rounds=1000$saltstring$9GCMud.XEJzhgEk7i7Gx8iFhL6./e6iqEuFFH.a9vgnDQVvKvTIFuNjk1GubvluiJc1ijOBzCNnqPFU9gOcBt/",
  ],
  [
    "passlib",
    "sha512-crypt",
    "$6$rounds=1234$ESIQqtCNeqkPUt2E$4ue7l25W4.Cwjsl7N5uVjHgsPvyoek9Ut4u0/HmnG8owtkr/0vBFgi34xclVBaY2FAKK0qgPbwmeO8Ttx/WJm.",
  ],
  ["md5sum", "md5", "55d2fddf8ba5768bbc44b083846cf439"],
  ["md5sum, capitals", "md5", "55D2FDDF8BA5768BBC44B083846CF439"],
  ["sha1sum", "sha1", "6e65c0075da2ae26cd83268decfd113ee18de5eb"],
  ["sha256sum", "sha256", "42934bd560af920e906391c99437616719e628d5be824bd45576b2824fbe8bbd"],
  [
    "sha512sum",
    "sha512",
    "dd936b06bcdb90e2d20db7b41b403fa133367d7f73cf3ef1ee42089c10cae820e2fb8497dbfd6b61c9975c15413f039582033f16689b352cb9013b81b9c35a66",
  ],
  ["Django", "md5", "md5$seasalt$cb7f47163ccd5a2ecad27c978bffcb11"],
  ["Django", "sha1", "sha1$seasalt$fbfd0acd7fee9e076c26a40bd11a20b94f48271d"],
];

const verify = (text: string, password: string) => parsePasswordHash(text).verify(Buffer.from(password));

describe("a password hash from elsewhere", () => {
  it.each(VECTORS)("by %s, %s, verifies its password and no other", async (_, format, text) => {
    expect(parsePasswordHash(text).format).toBe(format);
    expect(await verify(text, PASSWORD)).toBe(true);
    for (const wrong of ["", "correct horse", `${PASSWORD} `, PASSWORD.toUpperCase(), `\0${PASSWORD}`]) {
      expect(await verify(text, wrong), JSON.stringify(wrong)).toBe(false);
    }
  });

  it.each(VECTORS)("by %s, %s, fails when any one character of it is changed", async (_, __, text) => {
    const last = text.lastIndexOf("$") + 1;
    for (const index of [last, Math.floor((last + text.length) / 2)]) {
      const changed = text.slice(0, index) + (text[index] === "1" ? "2" : "1") + text.slice(index + 1);
      expect(await verify(changed, PASSWORD)).toBe(false);
    }
  });
});

describe("SHA-crypt", () => {
  // https://www.akkadia.org/drepper/SHA-crypt.txt, the tables of test cases; those whose salt or number of rounds the
  // function corrects while hashing appear as it wrote them.
  it.each([
    ["$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5", "Hello world!"],
    ["$5$rounds=10000$saltstringsaltst$3xv.VbSHBb41AL9AvLeujZkZRBAwqFMz2.opqey6IcA", "Hello world!"],
    ["$5$rounds=5000$toolongsaltstrin$Un/5jzAHMgOGZ5.mWJpuVolil07guHPvOW8mGRcvxa5", "This is just a test"],
    [
      "$5$rounds=1400$anotherlongsalts$Rx.j8H.h8HjEDGomFU8bDkXm3XIUnzyxf12oP84Bnq1",
      "a very much longer text to encrypt.  This one even stretches over morethan one line.",
    ],
    [
      "$5$rounds=77777$short$JiO1O3ZpDAxGJeaDIuqCoEFysAe1mZNJRs3pw0KQRd/",
      "we have a short salt string but not a short password",
    ],
    ["$5$rounds=123456$asaltof16chars..$gP3VQ/6X7UUEW3HkBn2w1/Ptq2jxPyzV/cZKmF/wJvD", "a short string"],
    [
      "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1",
      "Hello world!",
    ],
    [
      "$6$rounds=10000$saltstringsaltst$OW1/O6BYHV6BcXZu8QVeXbDWra3Oeqh0sbHbbMCVNSnCM/UrjmM0Dp8vOuZeHBy/YTBmSK6H9qs/y3RnOaw5v.",
      "Hello world!",
    ],
    [
      "$6$rounds=5000$toolongsaltstrin$lQ8jolhgVRVhY4b5pZKaysCLi0QBxGoNeKQzQ3glMhwllF7oGDZxUhx1yxdYcz/e1JSbq3y6JMxxl8audkUEm0",
      "This is just a test",
    ],
    [
      "$6$rounds=1400$anotherlongsalts$POfYwTEok97VWcjxIiSOjiykti.o/pQs.wPvMxQ6Fm7I6IoYN3CmLs66x9t0oSwbtEW7o7UmJEiDwGqd8p4ur1",
      "a very much longer text to encrypt.  This one even stretches over morethan one line.",
    ],
    [
      "$6$rounds=77777$short$WuQyW2YR.hBNpjjRhpYD/ifIw05xdfeEyQoMxIXbkvr0gge1a1x3yRULJ5CCaUeOxFmtlcGZelFl5CxtgfiAc0",
      "we have a short salt string but not a short password",
    ],
    [
      "$6$rounds=123456$asaltof16chars..$BtCwjqMJGx5hrJhZywWvt0RLE8uZ4oPwcelCjmw2kSYu.Ec6ycULevoBK25fs2xXgMNrCzIMVcgEJAstJeonj1",
      "a short string",
    ],
    [
      "$6$rounds=1000$roundstoolow$kUMsbe306n21p9R.FRkW3IGn.S9NPN0x50YhH1xhLsPuWGsUSklZt58jaTfF4ZEQpyUNGc0dqbpBYYBaHHrsX.",
      "the minimum number is still observed",
    ],
  ])("agrees with the specification: %s", async (text, password) => {
    expect(await verify(text, password)).toBe(true);
  });

  it("lets the event loop turn while it computes many rounds", async () => {
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    const salt = "saltstring";
    await verify(`$6$rounds=100000$${salt}$${"a".repeat(86)}`, PASSWORD);
    clearInterval(timer);
    expect(turns).toBeGreaterThan(10);
  });
});

describe("parsePasswordHash", () => {
  const base64 = "A".repeat(43);
  it.each([
    ["argon2id with 4 GiB", `$argon2id$v=19$m=4194304,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$${base64}`],
    ["argon2id with endless passes", `$argon2id$v=19$m=65536,t=99999,p=1$c29tZXNhbHRzb21lc2FsdA$${base64}`],
    ["argon2id with 255 lanes", `$argon2id$v=19$m=65536,t=1,p=255$c29tZXNhbHRzb21lc2FsdA$${base64}`],
    ["argon2id without memory", `$argon2id$v=19$m=0,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$${base64}`],
    ["argon2id without passes", `$argon2id$v=19$m=64,t=0,p=1$c29tZXNhbHRzb21lc2FsdA$${base64}`],
    ["argon2id of 4 bytes", "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$AAAAAA"],
    ["argon2id with a key id", `$argon2id$v=19$m=64,t=1,p=1,keyid=AAAA$c29tZXNhbHRzb21lc2FsdA$${base64}`],
    ["bcrypt of cost 31", `$2b$31$${"e".repeat(53)}`],
    ["bcrypt of cost 3", `$2b$03$${"e".repeat(53)}`],
    ["bcrypt 2x", `$2x$10$${"e".repeat(53)}`],
    ["bcrypt whose salt has more than 16 bytes", `$2b$10$${"a".repeat(53)}`],
    ["PBKDF2 with 99 million rounds", `pbkdf2_sha256$99999999$salt$${base64}=`],
    ["PBKDF2 without rounds", `$pbkdf2-sha256$0$AAAA$${base64}`],
    ["PBKDF2 whose length is not the one it names", `$pbkdf2-sha256$i=1000,l=64$AAAA$${base64}`],
    ["PBKDF2 that was cut", "pbkdf2_sha1$1000$seasaltseasalt12$iW3nACu3ImmJEB63UgMTDriQMA=="],
    ["scrypt that was cut", `$scrypt$ln=10,r=8,p=1$AAAA$${"A".repeat(42)}`],
    ["a number with leading zeros", `$pbkdf2-sha256$01000$AAAA$${base64}`],
    ["PBKDF2 over MD5", `$pbkdf2-md5$1000$AAAA$${base64}`],
    ["scrypt with 128 GiB", `$scrypt$ln=27,r=8,p=1$AAAA$${base64}`],
    ["scrypt with r of 0", `$scrypt$ln=10,r=0,p=1$AAAA$${base64}`],
    ["scrypt whose N is no power of two", `scrypt$1000$salt$8$1$${base64}=`],
    ["SHA-crypt with too many rounds", `$6$rounds=999999999$salt$${"a".repeat(86)}`],
    ["SHA-crypt with too few rounds", `$6$rounds=10$salt$${"a".repeat(86)}`],
    ["SHA-crypt of the wrong length", `$6$salt$${"a".repeat(43)}`],
    ["MD5-crypt", "$1$saltsalt$qjXMvbEw8oaL.CzflDtaK/"],
    [
      "a wrapped hash with 4 GiB",
      `wrapped$md5$$argon2id$v=19$m=4194304,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$${base64}`,
    ],
    ["an unusable Django password", "!abcdefghijklmnopqrstuvwxyz"],
    ["plain text", "correct horse battery staple"],
    ["nothing", ""],
    ["a megabyte", "a".repeat(1_000_000)],
  ])("refuses %s", (_, text) => {
    expect(() => parsePasswordHash(text)).toThrow(
      expect.objectContaining({ code: "credential.unsupported_hash" }),
    );
  });

  it("throws nothing but its registered error, whatever the text", () => {
    const prefixes = [
      "",
      "$argon2id$",
      "$2b$",
      "pbkdf2_sha256$",
      "$pbkdf2-sha256$",
      "scrypt$",
      "$scrypt$",
      "$6$",
    ];
    const garbage = fc
      .tuple(fc.constantFrom(...prefixes), fc.string({ unit: "binary" }))
      .map((parts) => parts.join(""));
    fc.assert(
      fc.property(garbage, (text) => {
        try {
          parsePasswordHash(text);
        } catch (error) {
          expect(error).toBeInstanceOf(IdentityError);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it("never verifies a vector that was damaged, and throws nothing else", async () => {
    const cheap = VECTORS.filter(([, , text]) => !text.includes("m=102400")).map(([, , text]) => text);
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...cheap),
        fc.nat(),
        fc.string({ maxLength: 3 }),
        async (text, at, insert) => {
          const index = at % text.length;
          const damaged = text.slice(0, index) + insert + text.slice(index + 1);
          if (damaged.toLowerCase() === text.toLowerCase()) return;
          try {
            const parsed = parsePasswordHash(damaged);
            // The unused bits of the last base64 character may change without changing the hash; `$2a` and `$2b` are one.
            if (await parsed.verify(Buffer.from(PASSWORD))) expect(isSameHash(damaged, text)).toBe(true);
          } catch (error) {
            expect(error).toMatchObject({ code: "credential.unsupported_hash" });
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});

/** Whether two texts differ only where the notation itself is not unique. */
function isSameHash(a: string, b: string): boolean {
  const canonical = (text: string) =>
    text
      .replace(/^(?:argon2|bcrypt\$)\$/, "$")
      .replace(/\$2[aby]\$/, "$2b$")
      .split(/[$=]/)
      .map((part) => (/^[A-Za-z0-9+/.]{11,}$/.test(part) ? part.replaceAll(".", "+").slice(0, -1) : part))
      .join("$")
      .replace(/\$+$/, "");
  return canonical(a) === canonical(b);
}
