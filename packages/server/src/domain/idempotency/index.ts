export { type Answer, answerOnce } from "./answer-once.ts";
export { deleteExpiredKeys } from "./idempotency.store.ts";
