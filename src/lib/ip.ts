import { BlockList, isIP } from 'node:net';

const MAPPED = '::ffff:';

/** An IPv4 address that came in on an IPv6 socket reads as IPv4. */
export const plainIp = (ip: string): string => (ip.startsWith(MAPPED) && ip.includes('.') ? ip.slice(MAPPED.length) : ip);

const familyOf = (ip: string) => (isIP(ip) === 6 ? 'ipv6' : 'ipv4');

/** Tells whether an address is in one of the ranges (`10.0.0.0/8`, `::1`). Throws for a range that is none. */
export function ipMatcher(ranges: readonly string[]): (ip: string) => boolean {
  const list = new BlockList();
  for (const range of ranges) {
    const [address = '', bits] = range.split('/');
    const family = familyOf(address);
    const most = family === 'ipv6' ? 128 : 32;
    const prefix = bits === undefined ? most : Number(bits);
    if (isIP(address) === 0 || bits === '' || !Number.isInteger(prefix) || prefix < 0 || prefix > most) {
      throw new Error(`invalid IP address or range: '${range}'`);
    }
    list.addSubnet(address, prefix, family);
  }
  return ranges.length === 0 ? () => false : ip => isIP(ip) !== 0 && list.check(ip, familyOf(ip));
}
