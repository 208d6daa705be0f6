import { setFlagsFromString } from "node:v8";

// Before anything is loaded: what `platform/young-space.ts` of the server says, which is part of what is loaded.
setFlagsFromString("--semi-space-growth-factor=1");
const { run } = await import("./run.ts");
setFlagsFromString("--semi-space-growth-factor=2");
await run();
