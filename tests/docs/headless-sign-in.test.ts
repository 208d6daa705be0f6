import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { createApplication } from "../../packages/server/src/domain/applications/index.ts";
import { createUser } from "../../packages/server/src/domain/users/index.ts";
import { aServer } from "../../packages/server/src/testing/a-server.ts";
import { contextOf } from "../../packages/server/src/testing/test-deps.ts";

const PAGE = join(import.meta.dirname, "../../docs/headless-sign-in.md");
const PASSWORD = "correct horse battery staple";

it("the program of docs/headless-sign-in.md signs somebody in", async () => {
  const program = /```js\n(\/\/ run: headless-sign-in\n[\s\S]*?)```/.exec(await readFile(PAGE, "utf8"))?.[1];
  await using server = await aServer({ listen: true });
  const context = contextOf(server.tenantId);
  await createUser(server.deps, context, { username: "ann", password: { plain: PASSWORD } });
  const { application } = await createApplication(server.deps, context, {
    slug: "phone",
    name: "Phone",
    redirectUris: ["https://phone.example/callback"],
    tokenEndpointAuthMethod: "none",
    consent: "implicit",
    settings: { headlessSignIn: true },
  });
  const folder = await mkdtemp(join(tmpdir(), "ostiary-docs-"));
  try {
    const file = join(folder, "sign-in.mjs");
    await writeFile(file, program ?? "");
    const { stdout } = await promisify(execFile)(process.execPath, [file], {
      env: { OSTIARY: server.url, APPLICATION: application.id, IDENTIFIER: "ann", PASSWORD },
    });
    expect(stdout).toBe("Bearer openid\n");
  } finally {
    await rm(folder, { recursive: true });
  }
});
