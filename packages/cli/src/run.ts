import { CommanderError } from "commander";
import { EXIT, Failure } from "./failure.ts";
import { say } from "./output.ts";
import { createProgram } from "./program.ts";

// A reader that has seen enough, such as `head`, is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  process.exit(error.code === "EPIPE" ? EXIT.ok : EXIT.failed);
});

/** Does what the command line says. What fails is said, and is the exit code. */
export async function run(): Promise<void> {
  try {
    await createProgram().parseAsync();
  } catch (error) {
    process.exitCode = exitCodeOf(error);
  }
}

/** Says what failed. Our own failures and those of the server are sentences; of a bug, the place is of use. */
function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  if (error instanceof Failure) {
    say(error.message);
    return error.exitCode;
  }
  say(
    error instanceof Error
      ? `${error.message}${process.env["OSTIARY_DEBUG"] ? `\n${error.stack}` : ""}`
      : String(error),
  );
  return EXIT.failed;
}
