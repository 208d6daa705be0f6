export {
  deleteMessageTemplate,
  listMessageTemplates,
  previewMessageTemplate,
  writeMessageTemplate,
} from "./manage-templates.ts";
export { MESSAGE_SENDERS, type Notification, notify } from "./notify.ts";
