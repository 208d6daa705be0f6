import { createPublicKey } from "node:crypto";
import { BoundedMap } from "./bounded-map.ts";
import { BkAuthError } from "./errors.ts";
import { asObject, asText, parseObject } from "./json.ts";
import { type BkLogger, consoleLogger } from "./log.ts";
import { type BkTlsOptions, type BkTransport, nodeTransport, pythonJson, quote } from "./transport.ts";
import { codeOf } from "./verify-ticket.ts";

/** A public key that is known beforehand. */
export interface GatewayKey {
  /** The gateway it belongs to. */
  gateway: string;
  /** Only for tokens of this issuer; without it, for those of every issuer. */
  issuer?: string;
  /** SPKI, PEM. */
  publicKey: string;
}

/** Where the keys of gateways can be asked for. */
export interface GatewayKeySource {
  /**
   * Address with `{gateway}` for the name, such as
   * `https://gateway.example.com/prod/api/v2/sync/gateways/{gateway}/public_key/`.
   */
  url: string;
  appCode: string;
  appSecret: string;
  /** Header `X-Bk-Tenant-Id`; may be empty. */
  tenantId?: string;
  tls?: BkTlsOptions;
}

export interface GatewayKeysOptions {
  publicKeys?: readonly GatewayKey[];
  source?: GatewayKeySource;
  /** How long a fetched key is used before it is fetched anew. Seconds, 60 to 86,400; default 3,600. */
  keyLifetime?: number;
  /** At most one fetch for each gateway in this time, however many bad tokens arrive. Seconds; default 60. */
  keyRefreshInterval?: number;
  logger?: BkLogger;
  transport?: BkTransport;
  clock?: () => number;
}

interface FetchedKey {
  publicKey: string;
  issuer: string | undefined;
}

const FETCH_TIMEOUT_MS = 10_000;
const GATEWAYS = 100;

/** The keys of gateways: those of the options, then those fetched from the source. */
export class GatewayKeys {
  readonly #options: GatewayKeysOptions;
  readonly #transport: BkTransport;
  readonly #fetched = new BoundedMap<FetchedKey>(GATEWAYS);
  readonly #asked = new BoundedMap<Promise<void>>(GATEWAYS);

  constructor(options: GatewayKeysOptions) {
    if (!options.publicKeys?.length && options.source === undefined)
      throw new BkAuthError("configuration", "publicKeys or source is needed to verify a gateway JWT");
    for (const { publicKey } of options.publicKeys ?? []) check(publicKey);
    if (options.source !== undefined && !URL.canParse(options.source.url.replace("{gateway}", "x")))
      throw new BkAuthError("configuration", "the url of source is no address");
    this.#options = options;
    this.#transport = options.transport ?? nodeTransport(options.source?.tls);
  }

  /**
   * The key for a token; undefined when none matches its issuer.
   *
   * @param attempt - `refreshed` fetches once more, when the interval allows that.
   */
  async find(gateway: string, issuer: string, attempt: "known" | "refreshed"): Promise<string | undefined> {
    if (attempt === "refreshed") await this.#refresh(gateway);
    const mine = this.#options.publicKeys?.filter((key) => key.gateway === gateway) ?? [];
    const exact = mine.find((key) => key.issuer === issuer) ?? mine.find((key) => key.issuer === undefined);
    const fetched = this.#fetched.get(gateway, this.#now());
    const isFor = fetched !== undefined && (fetched.issuer === undefined || fetched.issuer === issuer);
    return isFor ? fetched.publicKey : exact?.publicKey;
  }

  #now(): number {
    return (this.#options.clock ?? Date.now)();
  }

  /** One fetch for all who wait; and none again until the interval is over, whatever came of it. */
  #refresh(gateway: string): Promise<void> {
    const { source, keyRefreshInterval = 60 } = this.#options;
    if (source === undefined) return Promise.resolve();
    const running = this.#asked.get(gateway, this.#now());
    if (running !== undefined) return running;
    const call = this.#fetch(source, gateway);
    this.#asked.set(gateway, call, this.#now() + keyRefreshInterval * 1000);
    return call;
  }

  async #fetch(source: GatewayKeySource, gateway: string): Promise<void> {
    const { keyLifetime = 3_600, logger = consoleLogger } = this.#options;
    const credentials = { bk_app_code: source.appCode, bk_app_secret: source.appSecret, access_token: null };
    try {
      const response = await this.#transport({
        url: new URL(source.url.replace("{gateway}", quote(gateway))),
        headers: {
          "X-Bkapi-Authorization": pythonJson(credentials),
          "X-Bk-Tenant-Id": source.tenantId ?? "",
        },
        timeoutMs: FETCH_TIMEOUT_MS,
      });
      const data = asObject(parseObject(response.body)?.["data"]);
      const publicKey = asText(data?.["public_key"]);
      if (response.status !== 200 || publicKey === undefined)
        throw new BkAuthError("service.unavailable", `no key in an answer of status ${response.status}`);
      check(publicKey);
      const issuer = asText(data?.["issuer"]);
      this.#fetched.set(gateway, { publicKey, issuer }, this.#now() + keyLifetime * 1000);
    } catch (error) {
      logger.error(`the public key of a gateway cannot be fetched (${codeOf(error)})`);
    }
  }
}

/** @throws BkAuthError `configuration` for a text that is no RSA public key of 2,048 bits or more. */
function check(pem: string): void {
  let bits = 0;
  try {
    if (!pem.includes("BEGIN PUBLIC KEY")) throw new Error("not SPKI");
    const key = createPublicKey(pem);
    bits = key.asymmetricKeyType === "rsa" ? (key.asymmetricKeyDetails?.modulusLength ?? 0) : 0;
  } catch (error) {
    throw new BkAuthError("configuration", "a gateway's public key is no PEM", { cause: error });
  }
  if (bits < 2048)
    throw new BkAuthError("configuration", "a gateway's public key is no RSA key of 2,048 bits");
}
