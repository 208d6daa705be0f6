export { checkRoom, finishOutgoing, sendLater, sendSoon, startOutgoing } from "./outbox.ts";
export { type Sender, Undeliverable } from "./sender.ts";
