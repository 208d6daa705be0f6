export {
  createFeishuBot,
  deleteFeishuBot,
  getFeishuBot,
  listFeishuBots,
  updateFeishuBot,
} from "./feishu-bots.ts";
export { findFeishuIdentity } from "./feishu-identity.ts";
export { type Recipient, sendFeishuMessage } from "./feishu-message.ts";
export { issueFeishuToken, syncFeishuUser } from "./feishu-users.ts";
export { authorizeByToken, checkTokenFor, compareIdentity, type TokenHolder } from "./identity-by-token.ts";
export { listGroupsForApplication } from "./list-groups.ts";
export { syncUser, syncUsers } from "./sync-users.ts";
