import { node } from './node.ts';

const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;
const ZONE = /%[\da-z.:-]+$/i;
const MAPPED = '::ffff:';

/** 4 or 6; 0: it is no address. */
export function ipVersion(text: string): 0 | 4 | 6 {
  if (IPV4.test(text)) return 4;
  return text.includes(':') && isIpv6(text.replace(ZONE, '')) ? 6 : 0;
}

/** Eight groups; some of them may be left out once, and an IPv4 address may stand for the last two. */
function isIpv6(text: string): boolean {
  const halves = text.split('::');
  const groups = halves.flatMap(half => (half === '' ? [] : half.split(':')));
  const last = groups.at(-1) ?? '';
  const endsInIpv4 = IPV4.test(last) && text.endsWith(last);
  const count = groups.length + (endsInIpv4 ? 1 : 0);
  const hexadecimal = endsInIpv4 ? groups.slice(0, -1) : groups;
  return (
    (halves.length === 1 ? count === 8 : halves.length === 2 && count < 8) && hexadecimal.every(group => /^[\da-f]{1,4}$/i.test(group))
  );
}

/** An IPv4 address that came in on an IPv6 socket reads as IPv4. */
export const plainIp = (ip: string): string => (ip.startsWith(MAPPED) && ip.includes('.') ? ip.slice(MAPPED.length) : ip);

const FAMILIES = { 4: 'ipv4', 6: 'ipv6' } as const;

/** Tells whether an address is in one of the ranges (`10.0.0.0/8`, `::1`). Throws for a range that is none. */
export function ipMatcher(ranges: readonly string[]): (ip: string) => boolean {
  if (ranges.length === 0) return () => false;
  const list = new node.net.BlockList();
  for (const range of ranges) {
    const [address = '', bits] = range.split('/');
    const version = ipVersion(address);
    const most = version === 6 ? 128 : 32;
    const prefix = bits === undefined ? most : Number(bits);
    if (version === 0 || bits === '' || !Number.isInteger(prefix) || prefix < 0 || prefix > most) {
      throw new Error(`invalid IP address or range: '${range}'`);
    }
    list.addSubnet(address, prefix, FAMILIES[version]);
  }
  return ip => {
    const version = ipVersion(ip);
    return version !== 0 && list.check(ip, FAMILIES[version]);
  };
}
