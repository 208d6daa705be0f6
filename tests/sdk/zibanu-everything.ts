import type * as Sdk from "../../packages/sdk/src/zibanu/index.ts";

/** What a run brings about, the same from every server and wherever it runs. */
export type Facts = Record<string, unknown>;

/**
 * Calls every public function of the client at least once. It is sent to a page as text too, so it uses nothing but what
 * it is given.
 *
 * @param run - makes its addresses other than those of the runs before
 */
export async function everything(
  { createZibanuClient, memoryTokenStore, storageTokenStore, ZibanuError }: typeof Sdk,
  { baseUrl, password, run }: { baseUrl: string; password: string; run: string },
): Promise<Facts> {
  const facts: Facts = {};
  const refused = (work: Promise<unknown>) =>
    work.then(
      () => "nothing",
      (error: unknown) => (error instanceof ZibanuError ? error.kind : String(error)),
    );
  const kept = new Map<string, string>();
  const store = {
    getItem: (name: string) => kept.get(name) ?? null,
    setItem: (name: string, value: string) => void kept.set(name, value),
    removeItem: (name: string) => void kept.delete(name),
  };
  const manager = createZibanuClient({ baseUrl, tokens: storageTokenStore(store) });
  const heard: string[] = [];
  const stops = (["login", "logout", "refresh", "expired", "profile"] as const).map((name) =>
    manager.on(name, () => heard.push(name)),
  );
  const signIn = { email: "manager@example.com", password, close: true };
  facts["wrong password"] = await refused(manager.login({ ...signIn, password: "wrong" }));
  facts["nobody signed in"] = [await manager.session(), await refused(manager.users.list())];
  const session = await manager.login(signIn);
  facts["login"] = [session.userId, session.user?.username];
  facts["session"] = (await manager.session())?.user?.username;
  const [one, other] = await Promise.all([manager.refresh(), manager.refresh()]);
  facts["one exchange for two"] = one.token === other.token && one.token !== session.token;

  const email = `${run}@example.com`;
  const picture = Uint8Array.from(
    atob("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="),
    (character) => character.charCodeAt(0),
  );
  const added = await manager.users.add({ email, first_name: "Every", roles: [3] });
  facts["users.add"] = [added.full_name, added.level];
  facts["users.add twice"] = await refused(manager.users.add({ email }));
  const found = await manager.users.retrieve(added.id);
  facts["users.retrieve"] = [found.first_name, found.roles, found.is_active];
  facts["users.update by id"] = (await manager.users.update({ id: added.id, last_name: "One" })).full_name;
  facts["users.update by address"] = (await manager.users.update({ email, roles: found.roles })).roles;
  facts["users.list"] = (await manager.users.list()).filter((user) => user.email === email).length;
  await manager.users.delete(email);
  facts["users.delete by address"] = await refused(manager.users.retrieve(added.id));
  const second = await manager.users.add({ email: `second-${email}` });
  await manager.users.delete(second.id);
  facts["users.delete by id"] = await refused(manager.users.delete(second.id));

  await manager.profile.update({ theme: "dark", app_settings: { run: [1] } });
  const own = await manager.profile.get();
  facts["profile"] = [own?.first_name, own?.profile?.theme, own?.profile?.app_settings];
  facts["profile.update refused"] = await refused(manager.profile.update({ timezone: "Mars" }));
  facts["avatar before"] = await manager.profile.avatar();
  await manager.profile.setAvatar(picture);
  facts["avatar of bytes"] = (await manager.profile.avatar())?.slice(0, 22);
  await manager.profile.setAvatar(new Blob([picture]));
  facts["avatar of a blob"] = (await manager.profile.avatar())?.slice(0, 22);
  await manager.profile.setAvatar(null);
  facts["avatar after"] = await manager.profile.avatar();

  facts["groups.list"] = (await manager.groups.list()).find(({ id }) => id === 3);
  facts["groups.levels"] = (await manager.groups.levels()).length;
  facts["permissions.list"] = (await manager.permissions.list()).length > 5;
  facts["time zones"] = (await manager.utilities.timeZones()).includes("America/Bogota");
  facts["languages"] = Object.hasOwn((await manager.utilities.languages()).languages, "es");
  facts["dial codes"] = (await manager.utilities.dialCodes()).some(({ dial_code }) => dial_code === "+54");
  for (const name of ["menu", "code", "order"] as const) {
    try {
      if (name === "menu") await manager.menu(1);
      else if (name === "code") await manager.requestPassword(email, "123456");
      else await manager.users.list("-email");
    } catch (error) {
      facts[`3.0 only: ${name}`] = error instanceof TypeError;
    }
  }

  const next = `Other.${run}.Passw0rd1`;
  const again = createZibanuClient({ baseUrl, tokens: memoryTokenStore(), keepAlive: true });
  facts["changePassword refused"] = await refused(
    manager.changePassword({ oldPassword: "wrong", newPassword: next }),
  );
  await manager.changePassword({ oldPassword: password, newPassword: next });
  await again.login({ ...signIn, password: next });
  await again.changePassword({ oldPassword: next, newPassword: password });
  again.stop();
  facts["requestPassword"] = (await again.requestPassword("guest@example.com")) === undefined;
  await again.logout();

  await manager.login(signIn);
  await createZibanuClient({ baseUrl }).login(signIn); // closes the one before
  facts["closed elsewhere"] = await refused(manager.profile.get());
  await manager.login(signIn);
  await manager.logout();
  facts["after logout"] = [await manager.session(), kept.size];
  for (const stop of stops) stop();
  facts["events"] = heard;
  await manager.login(signIn);
  await manager.logout();
  facts["events after the end"] = heard.length === (facts["events"] as string[]).length;
  return JSON.parse(JSON.stringify(facts)) as Facts;
}

const PNG = "data:image/png;base64,";

/** From the original and from Ostiary, in Node and in a browser. */
export const EXPECTED: Facts = {
  "wrong password": "credentials",
  "nobody signed in": [null, "token"],
  login: [4, "manager"],
  session: "manager",
  "one exchange for two": true,
  "users.add": ["Every", 5],
  "users.add twice": "validation",
  "users.retrieve": ["Every", [{ id: 3, name: "Operators" }], true],
  "users.update by id": "Every One",
  "users.update by address": [{ id: 3, name: "Operators" }],
  "users.list": 1,
  "users.delete by address": "not_found",
  "users.delete by id": "not_found",
  profile: ["Manager", "dark", { run: [1] }],
  "profile.update refused": "validation",
  "avatar before": null,
  "avatar of bytes": PNG,
  "avatar of a blob": PNG,
  "avatar after": null,
  "groups.list": { id: 3, name: "Operators", level: 5 },
  "groups.levels": 7,
  "permissions.list": true,
  "time zones": true,
  languages: true,
  "dial codes": true,
  "3.0 only: menu": true,
  "3.0 only: code": true,
  "3.0 only: order": true,
  "changePassword refused": "validation",
  requestPassword: true,
  "closed elsewhere": "token",
  "after logout": [null, 0],
  events: [
    "login",
    "refresh",
    ...Array.from({ length: 4 }, () => "profile"),
    "login",
    "expired",
    "login",
    "logout",
  ],
  "events after the end": true,
};
