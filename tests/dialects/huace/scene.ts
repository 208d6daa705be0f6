import { readFileSync } from "node:fs";
import { join } from "node:path";
import { aServer, type TestServer } from "../../../packages/server/src/testing/a-server.ts";
import { signIn } from "./sign-in.ts";

export const SHOP = { app_id: "1001", app_secret: "shop-secret" };
export const STAFF = { app_id: "1002", app_secret: "staff-secret" };
const PASSWORD = "correct horse battery staple";

/** A running server with the installation of the tests, whose webhooks may reach this machine. */
export class Scene implements AsyncDisposable {
  readonly server: TestServer;

  private constructor(server: TestServer) {
    this.server = server;
  }

  static async open(): Promise<Scene> {
    const server = await aServer({ listen: true, config: { dangerAllowPrivateTargets: ["127.0.0.1"] } });
    const scene = new Scene(server);
    const installation = readFileSync(join(import.meta.dirname, "installation.yaml"), "utf8");
    await scene.api("POST", "/configuration/apply", installation, "application/yaml");
    return scene;
  }

  get base(): string {
    return `${this.server.url}/huace`;
  }

  /** Our own API, as an administrator. */
  async api<T = unknown>(
    method: string,
    path: string,
    body?: unknown,
    type = "application/json",
  ): Promise<T> {
    const answer = await fetch(`${this.server.url}/api/v1${path}`, {
      method,
      headers: {
        authorization: this.server.operator,
        ...(body === undefined ? {} : { "content-type": type }),
      },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return (text === "" ? undefined : JSON.parse(text)) as T;
  }

  /** An access token of the application Shop, from a sign-in of its own. */
  tokenOf(identifier: string, password = PASSWORD): Promise<string> {
    return signIn({
      issuer: this.server.url,
      clientId: "5f0c00000000000000000001",
      clientSecret: SHOP.app_secret,
      redirectUri: "http://127.0.0.1:9001/callback",
      identifier,
      password,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server[Symbol.asyncDispose]();
  }
}
