export {
  createFeishuBot,
  deleteFeishuBot,
  getFeishuBot,
  listFeishuBots,
  updateFeishuBot,
} from "./feishu-bots.ts";
export type { SentFeishuMessage } from "./feishu-connector.ts";
export { findFeishuIdentity } from "./feishu-identity.ts";
export { type Recipient, sendFeishuMessage } from "./feishu-message.ts";
export { issueFeishuToken, LONGEST_FEISHU_TOKEN, type PersonName, syncFeishuUser } from "./feishu-users.ts";
export { authorizeByToken, compareIdentity } from "./identity-by-token.ts";
export { listGroupsForApplication } from "./list-groups.ts";
export { type Synced, syncUser, syncUsers } from "./sync-users.ts";
