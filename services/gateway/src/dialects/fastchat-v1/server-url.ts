/** Which URLs of tool servers may come from a client (server-side request forgery). */
import { BlockList, isIP } from 'node:net';

/** As in the schema `ToolServer`. */
const MAX_CHARS = 2_048;

/** Not for the public: RFC 6890 and its registry, and one cloud's metadata outside of it. */
const REFUSED_V4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  // Link-local; 169.254.169.254 is the metadata service of most clouds.
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  // Multicast, reserved, broadcast.
  '224.0.0.0/3',
  // Azure's metadata and DNS.
  '168.63.129.16/32',
];

/** Inside of 2000::/3, the only range there is for the public: protocols, 6to4, documentation. */
const REFUSED_V6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'];

/** Names that resolve to this machine, or only within a private network or cloud. */
const REFUSED_NAME = /(?:^|\.)(?:localhost|local|internal|intranet|home\.arpa|metadata)$/;

const refused = new BlockList();
const globalV6 = new BlockList();
for (const range of REFUSED_V4) addRange(refused, range, 'ipv4');
for (const range of REFUSED_V6) addRange(refused, range, 'ipv6');
addRange(globalV6, '2000::/3', 'ipv6');

/**
 * Why a URL can't be used; null when it can.
 *
 * Only what it says is judged. A name may still resolve to a private address: whoever calls the
 * server checks the address it connects to.
 */
export function refusalOfUrl(text: string): string | null {
  if (text.length > MAX_CHARS || !URL.canParse(text)) return 'httpstream-url is no URL';
  const url = new URL(text);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'httpstream-url is not http or https';
  if (url.username !== '' || url.password !== '') return 'httpstream-url holds a user or password';
  return isPublicHost(url.hostname) ? null : 'the address is not a public one';
}

/** `URL` has made `0x7f.1`, `2130706433` and full-width digits dotted decimals already. */
function isPublicHost(hostname: string): boolean {
  const host = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname.replace(/\.+$/, '');
  const family = isIP(host);
  if (family === 4) return !refused.check(host, 'ipv4');
  // v4-mapped (::ffff:0:0/96), NAT64, unique local, link-local and loopback are all outside of it.
  if (family === 6) return globalV6.check(host, 'ipv6') && !refused.check(host, 'ipv6');
  return host !== '' && !REFUSED_NAME.test(host);
}

function addRange(list: BlockList, range: string, family: 'ipv4' | 'ipv6'): void {
  const [address = '', prefix] = range.split('/');
  list.addSubnet(address, Number(prefix), family);
}
