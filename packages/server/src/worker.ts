import { inSmallYoungSpace } from "./platform/young-space.ts";

// Nothing else is imported here: what is would be loaded before the first line runs.
await inSmallYoungSpace(() => import("./worker-process.ts"));
