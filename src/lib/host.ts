import { ipVersion } from './ip.ts';

export interface Host {
  readonly kind: 'ipv4' | 'ipv6' | 'name';
  /** Without the brackets of an IPv6 address. */
  readonly host: string;
  readonly port: number | null;
}

const NAME = /^[A-Za-z0-9._-]+$/;

/** An IPv6 address as sockets want it. Other hosts stay as they are. */
export const withoutBrackets = (host: string): string => host.replace(/^\[(.+)\]$/, '$1');

/** An address or a name, with a port or without. A string is what is wrong with it, in the words of Kong (kong/tools/ip.lua of Kong 3.9). */
export function parseHost(text: string): Host | string {
  if ((text.match(/:/g) ?? []).length > 1) return parseIpv6(text);
  return /^[0-9.:]+$/.test(text) ? parseIpv4(text) : parseName(text);
}

function parseIpv6(text: string): Host | string {
  const [, inBrackets, port] = /^\[([^\]]*)\](?::(\d+))?$/.exec(text) ?? [];
  const address = inBrackets ?? text;
  if (ipVersion(address) !== 6 || /[%.]/.test(address)) return `invalid ipv6 address: ${text}`;
  return withPort({ kind: 'ipv6', host: address, port: null }, port);
}

function parseIpv4(text: string): Host | string {
  const [, address = '', port] = /^([^:]*)(?::(\d+))?$/.exec(text) ?? [];
  return ipVersion(address) === 4 ? withPort({ kind: 'ipv4', host: address, port: null }, port) : `invalid ipv4 address: ${text}`;
}

/** A label may begin with a dash but not end with one, and only the last may be empty. */
function parseName(text: string): Host | string {
  const [, name = '', port] = /^(.*?)(?::(\d+))?$/s.exec(text) ?? [];
  const labels = name.split('.');
  const wrong = labels.some((label, index) => label.endsWith('-') || (label === '' && index !== labels.length - 1));
  return NAME.test(name) && !wrong ? withPort({ kind: 'name', host: name, port: null }, port) : `invalid hostname: ${text}`;
}

function withPort(host: Host, port: string | undefined): Host | string {
  if (port === undefined) return host;
  return Number(port) > 65535 ? 'invalid port number' : { ...host, port: Number(port) };
}

/** `host:port` as Kong keeps it: an IPv6 address with all its digits, in brackets. */
export function formatHost({ kind, host, port }: Host, defaultPort: number): string {
  return `${kind === 'ipv6' ? `[${allDigits(host)}]` : host}:${port ?? defaultPort}`;
}

function allDigits(ipv6: string): string {
  const [before = [], after = []] = ipv6.split('::').map(half => half.split(':').filter(group => group !== ''));
  const zeros = Array<string>(8 - before.length - after.length).fill('0');
  return [...before, ...zeros, ...after].map(group => group.padStart(4, '0').toLowerCase()).join(':');
}

export function isIpOrCidr(text: string): boolean {
  const [, address = '', prefix] = /^([^/%]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const version = ipVersion(address);
  return version !== 0 && (prefix === undefined || Number(prefix) <= (version === 4 ? 32 : 128));
}
