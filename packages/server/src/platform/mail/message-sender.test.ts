import { createHmac } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { createServer as createHttpServer, type IncomingHttpHeaders } from "node:http";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { createMessageSender, type MessageSenderOptions } from "./message-sender.ts";
import { readSmtpUrl } from "./smtp-delivery.ts";

const clock = { now: () => new Date("2026-01-01T00:00:00Z") };
const logged: unknown[] = [];
const note = (object: object, message: string) => logged.push({ ...object, message });
const logger = { debug: note, info: note, warn: note, error: note };
const tenantId = "5f0a00000000000000000001";
const mail = {
  to: "zhang@example.com",
  subject: "Your code 验证码",
  text: "Code 482913\n.\nlast line",
  tenantId,
};
const sms = { to: "+8613800000000", text: "Code 482913", tenantId };

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end(); // connections before their servers
  logged.length = 0;
});

function sender(options: Partial<MessageSenderOptions>) {
  const made = createMessageSender({ clock, logger, ...options });
  ends.push(() => made.close());
  return made;
}

async function listening(server: Server): Promise<number> {
  await once(server.listen(0, "127.0.0.1"), "listening");
  ends.push(() => new Promise((resolve) => server.close(resolve)));
  return (server.address() as AddressInfo).port;
}

/** An SMTP server that accepts everything, or refuses recipients with `refusal`, and remembers what it was told. */
async function anSmtpSink(refusal?: string) {
  const commands: string[] = [];
  const bodies: string[] = [];
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    let buffer = "";
    let inData = false;
    socket.on("error", () => {});
    socket.write("220 sink ESMTP\r\n");
    socket.on("data", (chunk) => {
      buffer += chunk.toString("utf8");
      for (;;) {
        const end = inData ? buffer.indexOf("\r\n.\r\n") : buffer.indexOf("\r\n");
        if (end === -1) return;
        const part = buffer.slice(0, end);
        buffer = buffer.slice(end + (inData ? 5 : 2));
        if (inData) {
          bodies.push(part);
          inData = false;
          socket.write("250 taken\r\n");
          continue;
        }
        commands.push(part);
        const verb = part.split(" ")[0]?.toUpperCase();
        if (verb === "EHLO") socket.write("250-sink\r\n250-AUTH PLAIN\r\n250 SMTPUTF8\r\n");
        else if (verb === "AUTH") socket.write("235 welcome\r\n");
        else if (verb === "RCPT" && refusal) socket.write(`${refusal}\r\n`);
        else if (verb === "DATA") {
          inData = true;
          socket.write("354 go on\r\n");
        } else if (verb === "QUIT") socket.end("221 bye\r\n");
        else socket.write("250 ok\r\n");
      }
    });
  });
  return { port: await listening(server), commands, bodies, sockets };
}

async function anHttpServer(status: number, headers: Record<string, string> = {}) {
  const calls: { url: string | undefined; headers: IncomingHttpHeaders; body: string }[] = [];
  const server = createHttpServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    calls.push({ url: request.url, headers: request.headers, body });
    response.writeHead(status, { ...headers, connection: "close" }).end("thanks");
  });
  return { address: `http://127.0.0.1:${await listening(server)}/messages`, calls };
}

describe("mail by SMTP", () => {
  it("reaches a server with sender, recipient, subject, text and HTML, after signing in", async () => {
    const sink = await anSmtpSink();
    const setting = `smtp://mailer:p%40ss@127.0.0.1:${sink.port}?from=${encodeURIComponent("Ostiary <no-reply@example.com>")}`;
    await sender({ mail: setting }).sendMail({ ...mail, html: "<p>Code 482913</p>" });

    const login = Buffer.from("\0mailer\0p@ss").toString("base64");
    expect(sink.commands).toContain(`AUTH PLAIN ${login}`);
    expect(sink.commands.find((line) => line.startsWith("MAIL"))).toMatch(
      /^MAIL FROM:<no-reply@example\.com>/,
    );
    expect(sink.commands.filter((line) => line.startsWith("RCPT"))).toEqual(["RCPT TO:<zhang@example.com>"]);
    const [body = ""] = sink.bodies;
    expect(body).toMatch(/^From: Ostiary <no-reply@example\.com>$/m);
    expect(body).toMatch(/^To: zhang@example\.com$/m);
    expect(body).toMatch(/^Subject: =\?UTF-8\?/m);
    expect(body).toMatch(/^Auto-Submitted: auto-generated$/m);
    expect(body).toContain("multipart/alternative");
    expect(body).toContain("Code 482913");
  });

  it("keeps a line with a single dot inside the text", async () => {
    const sink = await anSmtpSink();
    await sender({ mail: `smtp://127.0.0.1:${sink.port}`, from: "no-reply@example.com" }).sendMail(mail);
    expect(sink.bodies[0]).toContain("\r\n..\r\nlast line");
  });

  it("says that it failed, with the reason kept private, when the server refuses or is away", async () => {
    const sink = await anSmtpSink("550 no such mailbox here");
    const refused = sender({ mail: `smtp://127.0.0.1:${sink.port}`, from: "a@example.com" }).sendMail(mail);
    await expect(refused).rejects.toMatchObject({
      code: "message.not_sent",
      reason: expect.stringContaining("550 no such mailbox here"),
    });
    await expect(refused).rejects.not.toThrow("550");
    const away = sender({ mail: "smtp://127.0.0.1:1", from: "a@example.com" });
    await expect(away.sendMail(mail)).rejects.toMatchObject({ code: "message.not_sent" });
  });

  it("keeps its connection, and makes another when the server has ended it", async () => {
    const sink = await anSmtpSink();
    const smtp = sender({ mail: `smtp://127.0.0.1:${sink.port}`, from: "a@example.com" });
    await smtp.sendMail(mail);
    await smtp.sendMail(mail);
    expect(sink.sockets).toHaveLength(1);
    sink.sockets[0]?.end("421 idle for too long\r\n");
    await smtp.sendMail(mail);
    expect(sink.sockets).toHaveLength(2);
    expect(sink.bodies).toHaveLength(3);
  });

  it("never sends a password to another machine without TLS", () => {
    const read = (text: string) => readSmtpUrl(new URL(text), "a@example.com");
    expect(read("smtp://user:pass@mail.example.com")).toMatchObject({
      requireTLS: true,
      secure: false,
      port: 587,
    });
    expect(read("smtps://user:pass@mail.example.com")).toMatchObject({ secure: true, port: 465 });
    expect(read("smtp://user:pass@[::1]:25")).toMatchObject({ requireTLS: false, host: "::1", port: 25 });
    expect(read("smtp://127.0.0.1.example.com")).toMatchObject({ requireTLS: false });
    expect(read("smtp://user:pass@127.0.0.1.example.com")).toMatchObject({ requireTLS: true });
  });

  it("takes the sender from the setting, else the option, else a user name that is an address", () => {
    const from = (text: string, option?: string) => readSmtpUrl(new URL(text), option).from;
    expect(from("smtp://h?from=a@example.com", "b@example.com")).toBe("a@example.com");
    expect(from("smtp://c%40example.com:p@h", "b@example.com")).toBe("b@example.com");
    expect(from("smtp://c%40example.com:p@h")).toBe("c@example.com");
    expect(() => from("smtp://user:p@h")).toThrow("names no sender");
    expect(() => from("smtp://h?from=a@example.com%0D%0ABcc:x@example.com")).toThrow("names no sender");
  });
});

describe("messages by an HTTP hook", () => {
  it("are posted as JSON with a signature that the receiver can check", async () => {
    const server = await anHttpServer(202);
    const both = sender({ mail: server.address, sms: server.address, hookSecret: "hook-secret" });
    await both.sendMail(mail);
    await both.sendSms(sms);

    expect(server.calls.map((call) => JSON.parse(call.body))).toEqual([
      { type: "mail", ...mail },
      { type: "sms", ...sms },
    ]);
    for (const { headers, body } of server.calls) {
      expect(headers["content-type"]).toBe("application/json");
      expect(headers["webhook-timestamp"]).toBe("1767225600");
      const signed = `${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`;
      const signature = createHmac("sha256", "hook-secret").update(signed).digest("base64");
      expect(headers["webhook-signature"]).toBe(`v1,${signature}`);
    }
    expect(server.calls[0]?.headers["webhook-id"]).not.toBe(server.calls[1]?.headers["webhook-id"]);
  });

  it("are signed with the bytes of a whsec_ secret", async () => {
    const server = await anHttpServer(200);
    const key = Buffer.from("0123456789abcdef01234567");
    await sender({ sms: server.address, hookSecret: `whsec_${key.toString("base64")}` }).sendSms(sms);
    const [{ headers, body } = { headers: {} as IncomingHttpHeaders, body: "" }] = server.calls;
    const signed = `${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`;
    expect(headers["webhook-signature"]).toBe(
      `v1,${createHmac("sha256", key).update(signed).digest("base64")}`,
    );
  });

  it("count as not sent when the hook fails, redirects or is away", async () => {
    const elsewhere = await anHttpServer(200);
    for (const address of [
      (await anHttpServer(500)).address,
      (await anHttpServer(307, { location: elsewhere.address })).address,
      "http://127.0.0.1:1/",
    ]) {
      const attempt = sender({ sms: address, hookSecret: "s" }).sendSms(sms);
      await expect(attempt).rejects.toMatchObject({ code: "message.not_sent" });
    }
    expect(elsewhere.calls).toEqual([]);
  });
});

describe("messages as files", () => {
  it("are one JSON file each, in the order of sending, complete and private", async () => {
    const parent = await mkdtemp(join(tmpdir(), "ostiary-mail-"));
    ends.push(() => rm(parent, { recursive: true }));
    const folder = join(parent, "outbox");
    const files = sender({ mail: `file:${folder}` });
    for (let i = 0; i < 12; i++)
      await (i % 2 ? files.sendSms(sms) : files.sendMail({ ...mail, text: `${i}` }));
    await Promise.all(Array.from({ length: 20 }, () => files.sendMail(mail)));

    const names = (await readdir(folder)).sort();
    expect(names).toHaveLength(32);
    expect(names[0]).toBe(`2026-01-01T00-00-00.000Z-000001-${process.pid}.json`);
    const messages = await Promise.all(
      names.map(async (name) => JSON.parse(await readFile(join(folder, name), "utf8"))),
    );
    expect(messages[2]).toEqual({ type: "mail", ...mail, text: "2", at: "2026-01-01T00:00:00.000Z" });
    expect(messages[3]).toEqual({ type: "sms", ...sms, at: "2026-01-01T00:00:00.000Z" });
    expect((await stat(join(folder, names[0] ?? ""))).mode & 0o777).toBe(0o600);
  });
});

describe("messages to the log", () => {
  it("leave neither text nor subject nor full address there", async () => {
    const log = sender({ mail: "log" });
    await log.sendMail(mail);
    await log.sendSms(sms);
    expect(logged).toEqual([
      { type: "mail", to: "z***@example.com", tenantId, message: expect.stringContaining("not sent") },
      { type: "sms", to: "***00", tenantId, message: expect.stringContaining("not sent") },
    ]);
  });
});

describe("every sender", () => {
  it.each([
    "zhang@example.com\r\nBcc: eve@example.com",
    "zhang@example.com\n",
    "zhang@example.com, eve@example.com",
    "zhang@example.com;eve@example.com",
    "Eve <eve@example.com>",
    '"zhang eve@evil.example "@example.com',
    "group:eve@example.com",
    "zhang@eve@example.com",
    "zhang@example.com\u0000",
    "zhang",
    "",
    `${"a".repeat(300)}@example.com`,
  ])("refuses the recipient %j", async (to) => {
    await expect(sender({ mail: "log" }).sendMail({ ...mail, to })).rejects.toMatchObject({
      code: "message.invalid",
    });
    expect(logged).toEqual([]);
  });

  it.each([
    "Hello\r\nBcc: eve@example.com",
    "Hello\nworld",
    "Hello\rworld",
    "Hello\u0000",
    "Hello\u2028world",
  ])("refuses the subject %j", async (subject) => {
    const attempt = sender({ mail: "log" }).sendMail({ ...mail, subject });
    await expect(attempt).rejects.toMatchObject({ code: "message.invalid" });
  });

  it.each(["+86138\r\n00000", "138-0000-0000", "zhang@example.com", "", "12"])(
    "refuses the phone %j",
    async (to) => {
      await expect(sender({ mail: "log" }).sendSms({ ...sms, to })).rejects.toMatchObject({
        code: "message.invalid",
      });
    },
  );

  it("says so when there is none, instead of pretending", async () => {
    await expect(sender({}).sendMail(mail)).rejects.toMatchObject({ code: "message.not_configured" });
    const mailOnly = sender({ mail: "smtp://127.0.0.1:1", from: "a@example.com" });
    await expect(mailOnly.sendSms(sms)).rejects.toMatchObject({ code: "message.not_configured" });
  });

  it.each([
    [{ mail: "ftp://user:hunter2@host" }, "The mail setting must be one of"],
    [{ mail: "file:" }, "The mail setting must be one of"],
    [{ mail: "nonsense hunter2" }, "The mail setting must be one of"],
    [{ sms: "smtp://user:hunter2@host" }, "The sms setting must be one of"],
    [{ sms: "https://user:hunter2@host/", hookSecret: "s" }, "must not hold a password"],
    [{ mail: "https://host/" }, "needs a secret"],
    [{ mail: "https://host/", hookSecret: "whsec_" }, "is empty"],
  ])("is refused at the start with a sentence that quotes no password: %j", (options, sentence) => {
    const attempt = () => createMessageSender({ clock, logger, ...options });
    expect(attempt).toThrow(sentence);
    expect(attempt).not.toThrow("hunter2");
  });
});
