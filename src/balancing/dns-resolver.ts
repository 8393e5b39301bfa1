import type { promises as dns } from 'node:dns';
import { HostsFile } from '../lib/hosts-file.ts';
import { ipVersion } from '../lib/ip.ts';
import { node } from '../lib/node.ts';
import { candidates, type SearchDomains, searchDomains } from '../lib/search-domains.ts';
import type { Address } from './peer.ts';
import type { Resolved, Resolver } from './resolver.ts';

export interface DnsOptions {
  readonly hostsFile: string;
  /** `ADDRESS:PORT`; null: those of the machine. */
  readonly servers: readonly string[] | null;
  readonly search?: SearchDomains;
}

/** How names are looked up. */
export interface Names extends DnsOptions {
  /** Hosts that are no upstreams too: else that is left to `fetch`, which asks the system. */
  readonly lookUpHosts: boolean;
}

/** What the machine says. */
export const SYSTEM_DNS: DnsOptions = { hostsFile: '/etc/hosts', servers: null };

const TIMEOUT_MS = 2000;
const TRIES = 2;
/** What the hosts file says may be changed. */
const HOSTS_TTL_MS = 30_000;
/** What name servers answer when they know that there is nothing. */
const NOTHING: ReadonlySet<string> = new Set(['ENOTFOUND', 'ENODATA', 'NODATA', 'NOTFOUND']);

/**
 * Looks names up as Kong does: in the hosts file, then as SRV, A and AAAA records, aliases followed, the first kind that is there.
 * Bun does not tell how long an SRV record is valid: it is asked for again with the addresses of what it names.
 */
export class DnsResolver implements Resolver {
  readonly #hosts: HostsFile;
  readonly #search: SearchDomains;
  readonly #servers: readonly string[] | null;

  constructor({ hostsFile, servers, search = searchDomains() }: DnsOptions) {
    this.#hosts = new HostsFile(hostsFile);
    this.#search = search;
    this.#servers = servers;
  }

  async resolve(name: string, port: number): Promise<Resolved> {
    const local = this.#hosts.addressesOf(name);
    if (local.length > 0) return resolved(local, HOSTS_TTL_MS, port);
    if (name.toLowerCase() === 'localhost') return resolved(['127.0.0.1'], HOSTS_TTL_MS, port);
    const names = this.#names();
    for (const candidate of candidates(name, this.#search)) {
      const [services, addresses] = await Promise.allSettled([this.#services(names, candidate, port), addressesOf(names, candidate, port)]);
      if (services.status === 'fulfilled' && services.value !== null) return services.value;
      // There are name servers that answer no question for SRV records.
      if (addresses.status === 'rejected') throw addresses.reason;
      if (addresses.value !== null) return addresses.value;
    }
    throw new Error('dns server error: 3 name error');
  }

  /** One that knows nothing yet: they keep answers by a clock of their own, and the machine's servers as they were. */
  #names(): dns.Resolver {
    const names = new node.dns.Resolver({ timeout: TIMEOUT_MS, tries: TRIES });
    if (this.#servers !== null) names.setServers(this.#servers);
    return names;
  }

  /** Only those of the first priority serve. */
  async #services(names: dns.Resolver, name: string, port: number): Promise<Resolved | null> {
    const records = await known(names.resolveSrv(name));
    if (records === null) return null;
    const first = Math.min(...records.map(({ priority }) => priority));
    const serving = records.filter(({ priority }) => priority === first);
    const found = await Promise.all(
      serving.map(async record => ({ record, of: await this.#target(names, record.name, record.port || port) })),
    );
    const addresses = found.flatMap(({ record, of }): Address[] => {
      const weight = (record.weight || 1) / (of?.addresses.length ?? 1);
      return (of?.addresses ?? []).map(address => ({ ...address, weight, srvName: record.name }));
    });
    if (addresses.length === 0) return null;
    return { addresses, record: 'SRV', ttl: Math.min(...found.map(({ of }) => of?.ttl ?? HOSTS_TTL_MS)) };
  }

  async #target(names: dns.Resolver, name: string, port: number): Promise<Resolved | null> {
    if (ipVersion(name) !== 0) return resolved([name], HOSTS_TTL_MS, port);
    const local = this.#hosts.addressesOf(name);
    return local.length > 0 ? resolved(local, HOSTS_TTL_MS, port) : addressesOf(names, name, port);
  }
}

async function addressesOf(names: dns.Resolver, name: string, port: number): Promise<Resolved | null> {
  const found = (await known(names.resolve4(name, { ttl: true }))) ?? (await known(names.resolve6(name, { ttl: true })));
  if (found === null) return null;
  const ttl = Math.min(...found.map(record => record.ttl)) * 1000;
  return resolved(
    found.map(({ address }) => address),
    ttl,
    port,
  );
}

/** IPv6 addresses serve where there are no others. */
function resolved(ips: readonly string[], ttl: number, port: number): Resolved {
  const ipv4 = ips.filter(ip => ipVersion(ip) === 4);
  const chosen = ipv4.length > 0 ? ipv4 : ips;
  return {
    addresses: chosen.map(ip => ({ ip, port, weight: null, srvName: null })),
    record: ipv4.length > 0 ? 'A' : 'AAAA',
    ttl,
  };
}

/** Null: there are no such records. Throws when nobody could say. */
async function known<T>(query: Promise<T[]>): Promise<T[] | null> {
  try {
    const records = await query;
    return records.length > 0 ? records : null;
  } catch (error) {
    const code = String((error as { code?: unknown }).code);
    if (NOTHING.has(code)) return null;
    throw new Error(code === 'ETIMEOUT' ? 'dns server error: timeout' : `dns server error: ${code}`);
  }
}
