import { aServer, type TestServer } from "../../../packages/server/src/testing/a-server.ts";
import { Browser } from "../../oidc/browser.ts";
import { type Recorder, startRecorder } from "./recorder.ts";

export const PASSWORD = "correct horse battery staple";
export const SECRET = "shop-secret";

/** A running server with three people and two applications, seen through a recorder. */
export class Scene implements AsyncDisposable {
  readonly server: TestServer;
  readonly recorder: Recorder;

  private constructor(server: TestServer, recorder: Recorder) {
    this.server = server;
    this.recorder = recorder;
  }

  static async open(): Promise<Scene> {
    const server = await aServer({ listen: true });
    const scene = new Scene(server, await startRecorder(server.url));
    await scene.api("/tenants", { slug: "other", name: "Other" });
    await scene.api("/configuration/apply", {
      version: "ostiary/v1",
      tenants: [
        {
          slug: "default",
          name: "Example Ltd",
          settings: { blueking: { allowedReturnHosts: ["127.0.0.1"] } },
          applications: [
            { key: "shop", name: "Shop", secret: SECRET },
            { key: "closed", name: "Closed", secret: SECRET, access: "assigned", users: ["bob"] },
            { key: "demo", name: "Gateway", secret: SECRET },
          ],
          users: [
            person("admin", {
              nickname: "Boss",
              profile: { zoneinfo: "Europe/Berlin" },
              phone: "13800000000",
            }),
            person("bob"),
            person("张三"),
          ],
        },
      ],
    });
    return scene;
  }

  /** Base address of the dialect, through the recorder. */
  get base(): string {
    return `${this.recorder.url}/blueking`;
  }

  /** Django's settings for an application of ours. */
  djangoSettings(application = "shop"): Record<string, unknown> {
    return {
      BKAUTH_USER_COOKIE_VERIFY_URL: `${this.base}/login/api/v3/is_login/`,
      BKAUTH_TOKEN_USER_INFO_ENDPOINT: `${this.base}/api/c/compapi/v2/bk_login/get_user/`,
      BKAUTH_TOKEN_APP_CODE: application,
      BKAUTH_TOKEN_SECRET_KEY: SECRET,
      BK_APIGW_NAME: "demo",
      BK_APP_CODE: application,
      BK_APP_SECRET: SECRET,
      BK_API_URL_TMPL: `${this.base}/api/{api_name}`,
      LOGIN_URL: `${this.server.url}/blueking/login/`,
    };
  }

  /** Signs in on the hosted page and comes back with the cookies; `browser` is signed in then. */
  async signIn(username: string, browser = new Browser()): Promise<{ ticket: string; browser: Browser }> {
    const returnTo = "http://127.0.0.1:9/";
    const page = await browser.visit(`${this.server.url}/blueking/login/?c_url=${returnTo}`);
    const end = page.left ?? (await browser.submit(page, { identifier: username, password: PASSWORD })).left;
    if (end?.href !== returnTo) throw new Error(`the sign-in ended at ${end ?? page.url}`);
    const ticket = browser.cookie("bk_token");
    if (!ticket) throw new Error("no ticket");
    return { ticket, browser };
  }

  /** A gateway's token; `authorization` is what X-Bkapi-Authorization has beside the application. */
  async gatewayToken(authorization: object, application = "shop"): Promise<string> {
    const answer = await fetch(`${this.server.url}/blueking/prod/api/v2/open/gateways/demo/jwt/`, {
      method: "POST",
      headers: {
        "x-bkapi-authorization": JSON.stringify({
          bk_app_code: application,
          bk_app_secret: SECRET,
          ...authorization,
        }),
      },
    });
    const { data } = (await answer.json()) as { data: { jwt: string } };
    return data.jwt;
  }

  async api(path: string, body: object, method = "POST"): Promise<void> {
    const answer = await fetch(`${this.server.url}/api/v1${path}`, {
      method,
      headers: { authorization: this.server.operator, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`${path}: ${await answer.text()}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.recorder[Symbol.asyncDispose]();
    await this.server[Symbol.asyncDispose]();
  }
}

function person(username: string, more: object = {}) {
  return {
    username,
    email: `${encodeURIComponent(username).replaceAll("%", "")}@example.com`,
    password: { plain: PASSWORD },
    ...more,
  };
}
