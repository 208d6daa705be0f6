export {
  createBillingRule,
  deleteBillingRule,
  getBillingRule,
  listBillingRules,
  updateBillingRule,
} from "./billing-rules.ts";
export { toDecimal } from "./decimal.ts";
export { findTokenUser } from "./find-caller.ts";
export { listCalls, readLedger, summarizeUsage } from "./read-usage.ts";
export { reportCalls } from "./report-calls.ts";
export { expireUsage, finishRollUp, rollUpUsage } from "./roll-up.ts";
