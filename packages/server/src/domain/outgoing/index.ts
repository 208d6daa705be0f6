export { finishOutgoing, sendLater, startOutgoing } from "./outbox.ts";
export { type Sender, Undeliverable } from "./sender.ts";
