#!/usr/bin/env node
// A file that exists before anything is compiled: npm links a command at install time, and only to a file that is there.
try {
  await import("../dist/main.js");
} catch (error) {
  if (error?.code !== "ERR_MODULE_NOT_FOUND" || !String(error.message).includes("dist/main.js")) throw error;
  console.error("Ostiary is not compiled yet. Run: npm run build");
  process.exitCode = 1;
}
