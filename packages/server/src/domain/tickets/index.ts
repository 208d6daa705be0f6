export { type ReturnRules, returnAddressOf } from "./return-address.ts";
export {
  checkTicket,
  endTicket,
  findTicketHolder,
  issueTicket,
  type TicketHolder,
  type TicketRules,
} from "./tickets.ts";
