export { type Answer, answerOnce } from "./answer-once.ts";
