import { randomBytes } from "node:crypto";
import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { UsageFailure } from "./failure.ts";

export interface PasswordOptions {
  passwordStdin?: boolean;
  generatePassword?: boolean;
}

/** Where a password comes from: standard input, a question, or ourselves. Never the command line, which others see. */
export async function readPassword(
  options: PasswordOptions,
): Promise<{ password: string; generated: boolean }> {
  if (options.passwordStdin) return { password: await fromStdin(), generated: false };
  if (options.generatePassword || process.stdin.isTTY !== true) {
    return { password: randomBytes(15).toString("base64url"), generated: true };
  }
  const password = await ask("Password (empty: one is made): ");
  if (password === "") return { password: randomBytes(15).toString("base64url"), generated: true };
  if ((await ask("Once more: ")) !== password) throw new UsageFailure("The two passwords differ.");
  return { password, generated: false };
}

/** The first line, without its end. */
async function fromStdin(): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of process.stdin) parts.push(part as Buffer);
  const [line = ""] = Buffer.concat(parts).toString("utf8").split(/\r?\n/, 1);
  if (line === "") throw new UsageFailure("--password-stdin: there is no password on standard input.");
  return line;
}

/** Asks without showing what is typed. */
async function ask(question: string): Promise<string> {
  process.stderr.write(question);
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: nowhere, terminal: true });
  try {
    return await lines.question("");
  } finally {
    lines.close();
    process.stderr.write("\n");
  }
}
