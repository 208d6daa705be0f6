import { accessSync, constants } from "node:fs";
import { connect } from "node:net";
import type { ServerConfig } from "@ostiary/server";
import { broken, type Finding, hint, ok, warning } from "./findings.ts";

const PATIENCE_MILLISECONDS = 5_000;
const LOOPBACK = new Set(["localhost", "127.0.0.1", "[::1]", "::1"]);

/** The address that begins every issuer. */
export async function checkPublicUrl(config: ServerConfig): Promise<Finding[]> {
  const { publicUrl } = config;
  if (publicUrl === undefined) {
    if (LOOPBACK.has(config.host)) {
      const message = `OSTIARY_PUBLIC_URL is not set: only this machine can use http://localhost:${config.port}.`;
      return [hint("public URL", message, "Set it before others use the server: it stands in every token.")];
    }
    return [
      broken(
        "public URL",
        `The server listens on ${config.host}, but OSTIARY_PUBLIC_URL is not set: tokens and links name localhost.`,
        "Set it to the address that people and services use, e.g. https://id.example.com.",
      ),
    ];
  }
  return [checkScheme(publicUrl), await checkIssuer(publicUrl)];
}

function checkScheme(publicUrl: string): Finding {
  const { protocol, hostname } = new URL(publicUrl);
  if (protocol === "https:")
    return ok("encryption", "the public URL is https: cookies are sent encrypted only");
  if (LOOPBACK.has(hostname)) return ok("encryption", "http, but on this machine only");
  return broken(
    "encryption",
    `${publicUrl} is not encrypted: passwords, cookies and tokens can be read on the way.`,
    "Put a reverse proxy with TLS before the server and set OSTIARY_PUBLIC_URL to its https address.",
  );
}

/** Whether the way from outside leads to this product, and it knows its own name (RFC 8414 §3.3). */
async function checkIssuer(publicUrl: string): Promise<Finding> {
  const address = `${publicUrl}/.well-known/openid-configuration`;
  let issuer: unknown;
  try {
    const answer = await fetch(address, { signal: AbortSignal.timeout(PATIENCE_MILLISECONDS) });
    const body = (await answer.json()) as { issuer?: unknown };
    issuer = body.issuer;
  } catch (error) {
    const cause = (error as Error & { cause?: Error }).cause?.message ?? (error as Error).message;
    return warning(
      "issuer",
      `${address} gives no answer from here (${cause}).`,
      "Fine when the server does not run. Else check name, certificate, proxy and firewall.",
    );
  }
  if (issuer === publicUrl) return ok("issuer", `${publicUrl} leads here and names itself so`);
  return broken(
    "issuer",
    `${address} names the issuer ${String(issuer)}: every client refuses tokens of another issuer.`,
    "Start the server with this OSTIARY_PUBLIC_URL, or correct where the proxy leads.",
  );
}

/** Whether the server can listen, or listens already. */
export async function checkPort({ host, port }: ServerConfig): Promise<Finding> {
  if (port === 0) return ok("port", "a free one is taken");
  const near = host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host;
  if (!(await accepts(near, port))) return ok("port", `${port} is free`);
  const health = await fetch(`http://${near.includes(":") ? `[${near}]` : near}:${port}/healthz`, {
    signal: AbortSignal.timeout(PATIENCE_MILLISECONDS),
  })
    .then(
      (answer) => answer.json() as Promise<{ status?: unknown }>,
      () => ({ status: undefined }),
    )
    .catch(() => ({ status: undefined }));
  if (health.status === "ok") return ok("port", `the server runs on ${port}`);
  return broken("port", `Another program uses port ${port}.`, "Stop it, or choose another one with PORT.");
}

function accepts(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: PATIENCE_MILLISECONDS });
    const end = (result: boolean) => {
      socket.destroy();
      resolve(result);
    };
    socket.once("connect", () => end(true));
    socket.once("error", () => end(false));
    socket.once("timeout", () => end(false));
  });
}

/** Whether mails can leave. The setting is never shown: it may hold a password. */
export async function checkMail({ mail }: ServerConfig): Promise<Finding> {
  if (mail === "log") {
    return hint(
      "mail",
      "Mails are only written to the log.",
      "Set OSTIARY_MAIL, e.g. smtp://user:password@host:587.",
    );
  }
  if (mail.startsWith("file:")) return checkFolder(mail.slice("file:".length));
  if (!URL.canParse(mail)) {
    return broken("mail", "OSTIARY_MAIL cannot be understood.", "Use smtp://…, https://…, file:DIR or log.");
  }
  const { protocol, hostname, port } = new URL(mail);
  const number = Number(port) || { "smtps:": 465, "https:": 443, "http:": 80 }[protocol] || 587;
  if (await accepts(hostname, number)) return ok("mail", `${hostname}:${number} answers`);
  return broken("mail", `${hostname}:${number} cannot be reached.`, "Check OSTIARY_MAIL and the firewall.");
}

function checkFolder(folder: string): Finding {
  const remedy = "Mails are kept there as files. For real use set OSTIARY_MAIL to smtp://… or https://….";
  try {
    accessSync(folder, constants.W_OK);
    return hint("mail", `Mails are written to ${folder}.`, remedy);
  } catch {
    return hint("mail", `Mails are written to ${folder}, which is made when it is needed.`, remedy);
  }
}

/** Whose X-Forwarded-For is believed. */
export function checkProxies({ publicUrl, host, trustedProxies }: ServerConfig): Finding {
  const isProxied = publicUrl?.startsWith("https:") === true;
  if (isProxied && trustedProxies.length === 0) {
    return warning(
      "proxies",
      "The public URL is https, so a proxy stands before the server, but OSTIARY_TRUSTED_PROXIES is empty: to rate " +
        "limits and audit log everybody seems to come from the proxy's address.",
      "Name the proxy's addresses, e.g. OSTIARY_TRUSTED_PROXIES=127.0.0.1. Name no others: who is named can forge addresses.",
    );
  }
  if (trustedProxies.some((range) => /^(?:0\.0\.0\.0|::)\/0$/.test(range))) {
    return broken(
      "proxies",
      "OSTIARY_TRUSTED_PROXIES trusts everybody: each client can choose its own address and so escape rate limits.",
      "Name the proxy's addresses only.",
    );
  }
  if (isProxied && (host === "0.0.0.0" || host === "::")) {
    return hint(
      "proxies",
      `The server listens on ${host} without encryption, beside the proxy.`,
      "If the proxy is on this machine, leave OSTIARY_HOST at 127.0.0.1; else let only the proxy reach the port.",
    );
  }
  return ok("proxies", trustedProxies.length === 0 ? "none" : trustedProxies.join(", "));
}

/** What weakens the server on purpose. */
export function checkDangers({ dangerAllowPrivateTargets, previousMasterKeys }: ServerConfig): Finding[] {
  const findings: Finding[] = [];
  if (dangerAllowPrivateTargets.length > 0) {
    findings.push(
      warning(
        "dangers",
        `OSTIARY_DANGER_ALLOW_PRIVATE_TARGETS lets outgoing calls reach ${dangerAllowPrivateTargets.join(", ")}.`,
        "Leave it empty unless webhooks or federation really go there.",
      ),
    );
  }
  if (previousMasterKeys.length > 0) {
    findings.push(
      hint(
        "dangers",
        "OSTIARY_PREVIOUS_MASTER_KEYS holds older master keys.",
        "Run `ostiary migrate --rekey`, start the servers again, and then take them out.",
      ),
    );
  }
  return findings.length > 0 ? findings : [ok("dangers", "no setting weakens the server")];
}
