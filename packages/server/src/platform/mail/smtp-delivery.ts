import type { Delivery } from "./delivery.ts";

const MINUTE = 60_000;
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[?::1\]?)$/;

/**
 * `smtp://user:password@host:587?from=Name%20%3Caddress%3E` (STARTTLS when the server offers it, and required before a
 * password goes to another machine) or `smtps://…` (TLS from the start, port 465). A user name that is an address
 * serves as `from`.
 *
 * @param defaultFrom used when the address names no sender
 * @throws Error for the operator; it never quotes the address, which holds a password
 */
export function createSmtpDelivery(url: URL, defaultFrom?: string): Delivery {
  const { from, ...options } = readSmtpUrl(url, defaultFrom);
  // Loaded only where mail goes by SMTP: it is a third as large as all our own code.
  const loading = import("nodemailer").then(({ default: nodemailer }) =>
    nodemailer.createTransport({
      ...options,
      pool: true,
      maxConnections: 5,
      connectionTimeout: MINUTE / 6,
      greetingTimeout: MINUTE / 6,
      socketTimeout: MINUTE / 2,
      // A message is text from us; nothing in it may make the library read files or call addresses.
      disableFileAccess: true,
      disableUrlAccess: true,
    }),
  );
  return {
    async deliver(message) {
      if (message.type !== "mail") throw new Error("SMTP carries no text messages");
      const transport = await loading;
      await transport.sendMail({
        from,
        to: { name: "", address: message.to }, // as an object it is one address, never a list
        subject: message.subject,
        text: message.text,
        ...(message.html === undefined ? {} : { html: message.html }),
        headers: { "Auto-Submitted": "auto-generated" }, // RFC 3834 §5: keeps holiday replies away
      });
    },
    close: () => void loading.then((transport) => transport.close()),
  };
}

export function readSmtpUrl(url: URL, defaultFrom?: string) {
  const user = decodeURIComponent(url.username);
  const secure = url.protocol === "smtps:";
  const from = url.searchParams.get("from") ?? defaultFrom ?? (user.includes("@") ? user : undefined);
  if (!url.hostname) throw new Error("The mail setting names no host: smtp://user:password@host:587");
  if (!from || /\p{Cc}/u.test(from)) {
    throw new Error("The mail setting names no sender: add ?from=no-reply@example.com to the smtp address");
  }
  return {
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port ? Number(url.port) : secure ? 465 : 587,
    secure,
    from,
    requireTLS: user !== "" && !LOOPBACK.test(url.hostname),
    ...(user === "" ? {} : { auth: { user, pass: decodeURIComponent(url.password) } }),
  };
}
