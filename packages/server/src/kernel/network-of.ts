import { isIPv6 } from "node:net";

/** Groups of 16 bits in an IPv6 address, and of those that a provider gives to one household or office at least. */
const GROUPS = 8;
const OWN_GROUPS = 4;

/** Some proxies forward the port too, which is another one for each connection. */
const PORT = /^(?:([\d.]+)|\[([^\]]+)\]):\d+$/;

/**
 * What limits count an address by. Whoever has IPv6 has 2^64 addresses at least (RFC 6177 §2, RFC 4291 §2.5.1) and may
 * use another one for each guess, so its network counts; an IPv4 address is itself, also when it is written as IPv6.
 */
export function networkOf(address: string): string {
  const ip = PORT.exec(address)?.slice(1).join("") ?? address;
  if (!isIPv6(ip)) return ip;
  const [head = "", tail] = shortened(ip).split("::");
  const before = groupsOf(head);
  const after = groupsOf(tail ?? "");
  const groups = [...before, ...Array<number>(GROUPS - before.length - after.length).fill(0), ...after];
  const [high = 0, low = 0] = groups.slice(-2);
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) {
    return [high >> 8, high & 0xff, low >> 8, low & 0xff].join(".");
  }
  return `${groups
    .slice(0, OWN_GROUPS)
    .map((group) => group.toString(16))
    .join(":")}::/64`;
}

/** One spelling, without dots and without a zone. */
function shortened(ip: string): string {
  return new URL(`http://[${ip.split("%", 1)[0]}]`).hostname.slice(1, -1);
}

function groupsOf(text: string): number[] {
  return text === "" ? [] : text.split(":").map((group) => Number.parseInt(group, 16));
}
