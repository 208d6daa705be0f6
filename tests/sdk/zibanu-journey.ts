import { expect } from "vitest";
import {
  createZibanuClient,
  type ZibanuClient,
  type ZibanuError,
  type ZibanuOptions,
} from "../../packages/sdk/src/zibanu/index.ts";

/** A server of the Zibanu services, with the twelve users `root` to `victim` and the five groups of their seed. */
export interface ZibanuServer {
  baseUrl: string;
  password: string;
}

/** The smallest PNG. */
const PNG = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);

const failure = async (work: Promise<unknown>): Promise<ZibanuError> =>
  work.then(
    (value) => {
      throw new Error(`nothing was thrown, but ${JSON.stringify(value)} came back`);
    },
    (error: ZibanuError) => error,
  );

/** What a front end does, step by step: each is a test, and all pass against the original and against Ostiary. */
export const JOURNEY: [string, (server: ZibanuServer) => Promise<void>][] = [
  [
    "signs in, tells who it is, and not with a wrong password",
    async (server) => {
      const { client, email, password } = as(server, "plain");
      const wrong = await failure(client.login({ email, password: "wrong" }));
      expect(wrong).toMatchObject({ kind: "credentials", status: 401 });
      expect(await failure(client.login({ email: "nobody@example.com", password }))).toMatchObject({
        kind: "credentials",
        messages: wrong.messages,
      });
      expect(await failure(client.login({ email: "", password: "" }))).toMatchObject({
        kind: "validation",
        status: 400,
        fields: { email: ["This field may not be blank."], password: ["This field may not be blank."] },
      });
      const session = await client.login({ email, password });
      expect(session).toMatchObject({ userId: 5, user: { username: "plain", is_staff: false } });
    },
  ],
  [
    "opens one session for each origin, and closes the other when told",
    async (server) => {
      const first = as(server, "plain", { origin: "https://one.example.com" });
      const second = as(server, "plain", { origin: "https://one.example.com" });
      const elsewhere = as(server, "plain", { origin: "https://two.example.com" });
      await first.signIn();
      await elsewhere.signIn();
      const open = await failure(second.client.login({ email: second.email, password: server.password }));
      expect(open).toMatchObject({ kind: "session_open", status: 412, code: "multiple_login_error" });
      await second.signIn({ close: true });
      const expired: string[] = [];
      first.client.on("expired", () => expired.push("first"));
      expect(await failure(first.client.profile.get())).toMatchObject({ kind: "token", status: 401 });
      expect(expired).toEqual(["first"]);
      expect(await elsewhere.client.profile.get()).toMatchObject({ first_name: "Plain" });
    },
  ],
  [
    "exchanges the token, and the old one is over",
    async (server) => {
      const { client, signIn } = as(server, "multi");
      const old = await signIn();
      const renewed = await client.refresh();
      expect(renewed.token).not.toBe(old.token);
      expect(renewed.user).toMatchObject({ username: "multi", level: 5 });
      expect(await client.profile.get()).toMatchObject({ first_name: "Multi" });
      const thief = as(server, "multi", { tokens: { get: () => old.token, set: () => undefined } });
      expect((await failure(thief.client.profile.get())).kind).toBe("token");
    },
  ],
  [
    "signs out, and the token is worth nothing",
    async (server) => {
      const { client, signIn } = as(server, "multi");
      const { token } = await signIn();
      await client.logout();
      expect(await client.session()).toBeUndefined();
      const thief = as(server, "multi", { tokens: { get: () => token, set: () => undefined } });
      expect((await failure(thief.client.groups.levels())).kind).toBe("token");
    },
  ],
  [
    "reads and changes the own profile",
    async (server) => {
      const { client, signIn } = as(server, "secure");
      await signIn();
      await client.profile.update({ theme: "dark", messages_timeout: 15, app_settings: { a: [1] } });
      expect(await client.profile.get()).toMatchObject({
        first_name: "Secure",
        profile: { theme: "dark", messages_timeout: 15, app_settings: { a: [1] }, secure_password: true },
      });
      const refused = await failure(client.profile.update({ timezone: "Mars", lang: "much too long" }));
      expect(refused).toMatchObject({ kind: "validation", status: 400 });
      expect(Object.keys(refused.fields).sort()).toEqual(["lang", "timezone"]);
    },
  ],
  [
    "sets a picture, reads it back, and takes it away",
    async (server) => {
      const { client, signIn } = as(server, "victim");
      await signIn();
      expect(await client.profile.avatar()).toBeNull();
      await client.profile.setAvatar(PNG);
      expect(await client.profile.avatar()).toBe(`data:image/png;base64,${PNG.toString("base64")}`);
      expect((await failure(client.profile.setAvatar(Uint8Array.of(1, 2, 3)))).kind).toBe("validation");
      await client.profile.setAvatar(null);
      expect(await client.profile.avatar()).toBeNull();
    },
  ],
  [
    "lists groups, levels, and what else a front end offers",
    async (server) => {
      const { client, signIn } = as(server, "viewer");
      await signIn();
      const groups = await client.groups.list();
      expect(groups.map(({ level }) => level).every((level) => level >= 4)).toBe(true);
      expect(groups).toContainEqual({ id: 3, name: "Operators", level: 5 });
      expect(await client.groups.levels()).toHaveLength(7);
      expect(await client.utilities.timeZones()).toContain("America/Bogota");
      expect((await client.utilities.languages()).languages).toHaveProperty("es");
      expect((await client.utilities.dialCodes()).map(({ dial_code }) => dial_code)).toContain("+54");
    },
  ],
  [
    "lists users for who may see them",
    async (server) => {
      const plain = as(server, "multi");
      await plain.signIn();
      expect(await failure(plain.client.users.list())).toMatchObject({ kind: "permission" });
      expect(await failure(plain.client.permissions.list())).toMatchObject({ kind: "permission" });
      const viewer = as(server, "viewer");
      await viewer.signIn({ close: true });
      const users = await viewer.client.users.list();
      expect(users.map(({ first_name }) => first_name)).toEqual(
        users.map(({ first_name }) => first_name).sort(),
      );
      expect(users.every(({ level }) => level >= 4)).toBe(true);
      expect(users.map(({ email }) => email)).toContain("guest@example.com");
    },
  ],
  [
    "administers users",
    async (server) => {
      const { client, signIn } = as(server, "manager");
      await signIn();
      const added = await client.users.add({
        email: "new@example.com",
        first_name: "New",
        roles: [{ id: 3 }],
        profile: { timezone: "UTC" },
      });
      expect(added).toMatchObject({ email: "new@example.com", first_name: "New", is_staff: false, level: 5 });
      expect(await failure(client.users.add({ email: "new@example.com" }))).toMatchObject({
        kind: "validation",
        status: 406,
        fields: { email: ["Email already in use"] },
      });
      expect(await failure(client.users.add({ email: "boss@example.com", is_staff: true }))).toMatchObject({
        kind: "validation",
        status: 406,
      });
      const changed = await client.users.update({ id: added.id, last_name: "Comer" });
      expect(changed).toMatchObject({ full_name: "New Comer", roles: [{ id: 3, name: "Operators" }] });
      const found = await client.users.retrieve(added.id);
      expect(found).toMatchObject({ email: "new@example.com", last_name: "Comer", is_active: true });
      expect(await client.users.update({ id: added.id, roles: found.roles })).toMatchObject({
        roles: found.roles,
      });
      await client.users.delete(added.id);
      expect(await failure(client.users.retrieve(added.id))).toMatchObject({ kind: "not_found" });
      expect(await failure(client.users.delete(added.id))).toMatchObject({ kind: "not_found" });
      expect((await client.permissions.list()).length).toBeGreaterThan(5);
    },
  ],
  [
    "changes the password, and asks for a new one",
    async (server) => {
      const { client, email, password, signIn } = as(server, "guest");
      await signIn();
      const change = (oldPassword: string, newPassword: string) =>
        failure(client.changePassword({ oldPassword, newPassword }));
      expect(await change(password, password)).toMatchObject({ kind: "validation", status: 406 });
      expect(await change("wrong", "Another.Passw0rd")).toMatchObject({
        kind: "validation",
        messages: ["Old password does not match."],
      });
      await client.changePassword({ oldPassword: password, newPassword: "Another.Passw0rd" });
      const again = as(server, "guest", { origin: "https://again.example.com" });
      expect((await failure(again.client.login({ email, password }))).kind).toBe("credentials");
      await again.client.login({ email, password: "Another.Passw0rd" });
      await again.client.requestPassword(email);
    },
  ],
];

/** A front end for one of the users. */
function as(server: ZibanuServer, name: string, more: Partial<ZibanuOptions> = {}) {
  const { baseUrl, password } = server;
  const client: ZibanuClient = createZibanuClient({
    baseUrl,
    ...more,
  });
  const email = `${name}@example.com`;
  const signIn = ({ close = false } = {}) => client.login({ email, password, close });
  return { client, email, password, signIn };
}
