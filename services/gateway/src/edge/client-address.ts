/** Which address a connection is counted under. */
import { BlockList, isIP } from 'node:net';

/** Proxies whose X-Forwarded-For is believed. */
export class TrustedProxies {
  readonly #ranges = new BlockList();
  /** A look into an empty list costs as much as a token's way to auth. */
  readonly #isEmpty: boolean;

  /** Addresses and CIDR ranges; throws on anything else. */
  constructor(entries: readonly string[]) {
    this.#isEmpty = entries.length === 0;
    for (const entry of entries) {
      const [address = '', prefix] = entry.split('/');
      const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
      if (isIP(address) === 0)
        throw new Error(`NATTER_TRUSTED_PROXIES: ${entry} is no address or CIDR range`);
      if (prefix === undefined) this.#ranges.addAddress(address, family);
      else this.#ranges.addSubnet(address, Number(prefix), family);
    }
  }

  /**
   * The client's address: the peer's, or, behind trusted proxies, the last entry of
   * X-Forwarded-For that none of them wrote about another.
   */
  clientAddress(peer: string, forwardedFor: string): string {
    let address = normalise(peer);
    const hops = forwardedFor === '' ? [] : forwardedFor.split(',').slice(-32);
    while (this.#trusts(address)) {
      const hop = normalise(hops.pop()?.trim() ?? '');
      if (isIP(hop) === 0) break;
      address = hop;
    }
    return address;
  }

  #trusts(address: string): boolean {
    if (this.#isEmpty) return false;
    const family = isIP(address);
    return family !== 0 && this.#ranges.check(address, family === 6 ? 'ipv6' : 'ipv4');
  }
}

/** The key under which connections of an address are counted: IPv6 by /64, as one customer has. */
export function addressKey(address: string): string {
  if (isIP(address) !== 6) return address;
  return `${expand(address).slice(0, 4).join(':')}::/64`;
}

/** uWebSockets writes IPv4 peers of a dual-stack socket as ::ffff:1.2.3.4 in hexadecimal groups. */
function normalise(address: string): string {
  if (isIP(address) !== 6) return address;
  const groups = expand(address);
  if (groups.slice(0, 5).some((group) => group !== '0') || groups[5] !== 'ffff') return address;
  const [high = 0, low = 0] = groups.slice(6).map((group) => Number.parseInt(group, 16));
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}

/** Eight groups without leading zeros. */
function expand(address: string): string[] {
  // The URL parser writes every IPv6 address in its one canonical form (RFC 5952).
  const canonical = new URL(`http://[${address.split('%')[0]}]`).hostname.slice(1, -1);
  const [head = '', tail] = canonical.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  return [...left, ...Array.from({ length: 8 - left.length - right.length }, () => '0'), ...right];
}
