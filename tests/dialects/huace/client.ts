import { join } from "node:path";
import { PythonProgram, pythonWith } from "../../python/environment.ts";

/** Both releases that services use; the newer one reads other keys and caches less. */
export const VERSIONS = ["1.1.53", "1.1.62"] as const;

/** What a service sees: an exception of the package, or the fields of its data class. */
export interface Answer {
  result?: Record<string, unknown>;
  error?: { type: string; code: number | null; message: string; data: unknown };
}

export type Call = "verify_token" | "get_user_info";

/** The unmodified package from PyPI, in a Python of its own. */
export class HuaceClient {
  readonly #program: PythonProgram;
  readonly #client: Record<string, unknown>;

  private constructor(program: PythonProgram, client: Record<string, unknown>) {
    this.#program = program;
    this.#client = client;
  }

  static async start(version: string, client: Record<string, unknown>): Promise<HuaceClient> {
    const python = await pythonWith(`huace-${version}`, `huace-aigc-auth-client==${version}`);
    return new HuaceClient(new PythonProgram(python, join(import.meta.dirname, "drive.py")), client);
  }

  /** Calls a method of a new client object. @param other - constructor arguments that differ from the usual ones. */
  async call(call: Call, token: string | null, other: Record<string, unknown> = {}): Promise<Answer> {
    const client = { ...this.#client, ...other };
    return (await this.#program.ask({ client, call, arguments: [token] })) as Answer;
  }

  /** Calls any method of a new client object. @param named - its keyword arguments. */
  async ask<Result = Record<string, unknown>>(
    call: string,
    positional: readonly unknown[],
    named: Record<string, unknown> = {},
    other: Record<string, unknown> = {},
  ): Promise<Omit<Answer, "result"> & { result?: Result }> {
    const client = { ...this.#client, ...other };
    return (await this.#program.ask({ client, call, arguments: positional, named })) as Answer & {
      result?: Result;
    };
  }

  async close(): Promise<void> {
    await this.#program[Symbol.asyncDispose]();
  }
}
