import { Command } from "commander";
import { bluekingCommand } from "./import-blueking.ts";
import { djangoCommand } from "./import-django.ts";

/** One command for each system that people come from. */
export function importCommand(): Command {
  return new Command("import")
    .description("Import users from another system")
    .addCommand(bluekingCommand())
    .addCommand(djangoCommand());
}
