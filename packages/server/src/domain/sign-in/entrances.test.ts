import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { refusal } from "../../testing/two-tenants.ts";
import { createApplication } from "../applications/index.ts";
import { flowView, giveCode, signInDirectly, startRecovery, startUnlock } from "./index.ts";
import { PASSWORD, type SignIns, signIns } from "./testing/a-sign-in.ts";

let s: SignIns;
beforeAll(async () => {
  s = await signIns();
});
beforeEach(() => s.policy({}));
afterAll(() => s[Symbol.asyncDispose]());

it("an application without passwords is not entered with a forgotten one, nor with the right one", async () => {
  const { name } = await s.aPerson();
  const { application } = await createApplication(s.deps, s.world.context, {
    slug: "vault",
    name: "Vault",
    signInMethods: ["passkey"],
  });
  const tenant = await s.tenant();
  const flow = await s.begin({ applicationId: application.id });
  const { steps } = await flowView(s.deps, s.visitor, tenant, flow);
  expect(steps).not.toContain("start-recovery");
  expect(steps).not.toContain("start-unlock");
  for (const start of [startRecovery, startUnlock]) {
    const attempt = start(s.deps, s.visitor, tenant, flow, { identifier: name });
    expect(await refusal(attempt)).toBe("sign_in.method_not_allowed");
  }
  expect(await refusal(s.withPassword(name, {}, flow))).toBe("sign_in.method_not_allowed");
  const directly = signInDirectly(s.deps, s.visitor, tenant, {
    applicationId: application.id,
    identifier: name,
    password: PASSWORD,
  });
  expect(await refusal(directly)).toBe("sign_in.method_not_allowed");
});

it("an application that forbids passwords while a recovery is under way ends it", async () => {
  const { name, email } = await s.aPerson();
  const { deps, visitor } = s;
  const flow = await s.begin();
  const started = await startRecovery(deps, visitor, await s.tenant(), flow, { identifier: name });
  const code = await s.mailbox.code(deps, email);
  await s.policy({ methods: ["passkey"] });
  const attempt = giveCode(deps, visitor, await s.tenant(), started.flow, { code });
  expect(await refusal(attempt)).toBe("sign_in.method_not_allowed");
});
