export { deleteReadEvents } from "./audit.store.ts";
export type { NewEvent } from "./event.store.ts";
export { exportAuditEntries, listAuditEntries } from "./list-audit-entries.ts";
export { recordEvent, recordEvents, recordRefusal } from "./record-event.ts";
export { finishSealing, sealAllAuditEntries } from "./seal-audit-entries.ts";
export { verifyAuditChain } from "./verify-audit-chain.ts";
export { watchEvents } from "./watch-events.ts";
