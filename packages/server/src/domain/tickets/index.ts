export { isProofAlive, type PersonProof } from "./proof.ts";
export { frameSourcesOf, type ReturnRules, returnAddressOf } from "./return-address.ts";
export {
  checkTicket,
  endTicket,
  findTicketHolder,
  issueTicket,
  isTicketOf,
  type TicketHolder,
} from "./tickets.ts";
