import { BlockList, isIP, isIPv6 } from "node:net";

/**
 * Addresses that the public internet does not route (IANA special-purpose registries, RFC 6890): behind them are this
 * machine, its network, and the metadata services of clouds. IPv4 in IPv6 is matched by the IPv4 rules as well.
 */
const PRIVATE: readonly [string, number][] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
  ["::", 96],
  ["64:ff9b::", 96],
  ["64:ff9b:1::", 48],
  ["100::", 64],
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["fc00::", 7],
  ["fe80::", 10],
  ["fec0::", 10],
  ["ff00::", 8],
];

function listOf(ranges: readonly [string, number][]): BlockList {
  const list = new BlockList();
  for (const [address, bits] of ranges) list.addSubnet(address, bits, isIPv6(address) ? "ipv6" : "ipv4");
  return list;
}

const privateList = listOf(PRIVATE);

/** `::ffff:10.0.0.1` is 10.0.0.1: BlockList knows the dotted and the hexadecimal form. */
function isIn(list: BlockList, address: string): boolean {
  return list.check(address, isIPv6(address) ? "ipv6" : "ipv4");
}

export interface TargetRules {
  /** Whether a host may be called whatever its addresses are. */
  allowsHost(host: string): boolean;
  allowsAddress(address: string): boolean;
}

/** @param allowed - private hosts, addresses and CIDR ranges that may be called all the same. */
export function createTargetRules(allowed: readonly string[]): TargetRules {
  const hosts = new Set<string>();
  const ranges: [string, number][] = [];
  for (const entry of allowed) {
    const [address = "", bits] = entry.split("/", 2);
    if (isIP(address) === 0) hosts.add(entry.toLowerCase());
    else ranges.push([address, bits === undefined ? (isIPv6(address) ? 128 : 32) : Number(bits)]);
  }
  const allowedList = listOf(ranges);
  return {
    allowsHost: (host) => hosts.has(host.toLowerCase()),
    allowsAddress: (address) => isIn(allowedList, address) || !isIn(privateList, address),
  };
}
