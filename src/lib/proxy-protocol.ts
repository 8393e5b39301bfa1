import { ipVersion, plainIp } from './ip.ts';

/** What a load balancer says before the bytes of its client; `source` is null when it speaks for itself. */
export interface ProxyHeader {
  readonly source: string | null;
  /** Of the header, in bytes: what follows is the client's. */
  readonly length: number;
}

const TEXT = Buffer.from('PROXY ');
const BINARY = Buffer.from('\r\n\r\n\0\r\nQUIT\n');
const LONGEST_TEXT = 107;
const BINARY_FIXED = 16;
const LONGEST_BINARY = 4096;
const VERSION_2 = 2;
const LOCAL = 0;
const PROXIED = 1;
const IPV4 = 1;
const IPV6 = 2;

/**
 * Reads the header of the PROXY protocol, version 1 or 2, at the beginning of a connection. Null: there is none, or one that is
 * broken. https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt
 */
export function readProxyHeader(bytes: Buffer): ProxyHeader | 'incomplete' | null {
  if (beginsWith(bytes, TEXT)) return readText(bytes);
  if (beginsWith(bytes, BINARY)) return readBinary(bytes);
  return null;
}

/** As far as it has come. */
const beginsWith = (bytes: Buffer, signature: Buffer) => {
  const length = Math.min(bytes.length, signature.length);
  return bytes.subarray(0, length).equals(signature.subarray(0, length));
};

function readText(bytes: Buffer): ProxyHeader | 'incomplete' | null {
  const end = bytes.subarray(0, LONGEST_TEXT).indexOf('\r\n');
  if (end === -1) return bytes.length < LONGEST_TEXT ? 'incomplete' : null;
  const [, family, source = '', ...others] = bytes.toString('latin1', 0, end).split(' ');
  const length = end + 2;
  if (family === 'UNKNOWN') return { source: null, length };
  const version = family === 'TCP4' ? 4 : family === 'TCP6' ? 6 : 0;
  return version !== 0 && ipVersion(source) === version && others.length === 3 ? { source: plainIp(source), length } : null;
}

function readBinary(bytes: Buffer): ProxyHeader | 'incomplete' | null {
  if (bytes.length < BINARY_FIXED) return 'incomplete';
  const version = bytes.readUInt8(12) >> 4;
  const command = bytes.readUInt8(12) & 15;
  const family = bytes.readUInt8(13) >> 4;
  const length = BINARY_FIXED + bytes.readUInt16BE(14);
  if (version !== VERSION_2 || (command !== LOCAL && command !== PROXIED) || length > LONGEST_BINARY) return null;
  if (bytes.length < length) return 'incomplete';
  if (command === LOCAL || (family !== IPV4 && family !== IPV6)) return { source: null, length };
  const size = family === IPV4 ? 4 : 16;
  const address = bytes.subarray(BINARY_FIXED, BINARY_FIXED + size);
  if (length < BINARY_FIXED + 2 * size + 4) return null;
  return { source: family === IPV4 ? [...address].join('.') : ipv6(address), length };
}

/** In its short form, as addresses are written elsewhere. */
function ipv6(address: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, index) => address.readUInt16BE(2 * index).toString(16));
  const { hostname } = new URL(`http://[${groups.join(':')}]`);
  const mapped = groups.slice(0, 5).every(group => group === '0') && groups[5] === 'ffff';
  return mapped ? [...address.subarray(12)].join('.') : hostname.slice(1, -1);
}
