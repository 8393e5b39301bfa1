import type { Upstream } from '../entities/upstream.ts';
import { ipVersion } from '../lib/ip.ts';
import { reach } from '../lib/reach.ts';
import type { Peer, Presentation } from './peer.ts';

export type ActiveChecks = NonNullable<NonNullable<Upstream['healthchecks']>['active']>;

/** What a probe came to: an answer with this status, or what kept it from coming. */
export type Finding = number | 'connected' | 'tcp' | 'timeout';

/** Of a socket that is given no time of its own. */
const DEFAULT_SECONDS = 60;

/** What a probe of an upstream's peers is told beyond the peer. */
export interface ProbeOptions extends Pick<Presentation, 'hostHeader' | 'clientCertificate'> {
  readonly checks: ActiveChecks;
}

/** Asks a peer how it is, on a connection of its own. */
export async function probe(peer: Peer, options: ProbeOptions): Promise<Finding> {
  const signal = AbortSignal.timeout((options.checks.timeout || DEFAULT_SECONDS) * 1000);
  try {
    if (options.checks.type !== 'tcp') return await request(peer, options, signal);
    await reach(peer.ip, peer.port, signal);
    return 'connected';
  } catch (error) {
    if (signal.aborted) return 'timeout';
    // An answer that is none has no status.
    return String((error as { code?: unknown }).code).startsWith('Malformed') ? 0 : 'tcp';
  }
}

async function request(peer: Peer, { checks, hostHeader, clientCertificate }: ProbeOptions, signal: AbortSignal): Promise<number> {
  const { type, http_path, https_sni, https_verify_certificate, headers: wanted } = checks;
  const secure = type === 'https';
  const headers = new Headers({ 'User-Agent': 'sluice', Connection: 'close', Host: hostHeader ?? peer.hostName });
  for (const [name, values] of Object.entries(wanted ?? {})) for (const value of values ?? []) headers.append(name, value);
  const name = (https_sni as string | null) ?? hostHeader?.replace(/:\d+$/, '') ?? peer.name;
  const tls = {
    ...clientCertificate,
    rejectUnauthorized: https_verify_certificate !== false,
    ...(ipVersion(name) === 0 && { serverName: name }),
  };
  const response = await fetch(`${secure ? 'https' : 'http'}://${peer.authority}${http_path ?? '/'}`, {
    headers,
    redirect: 'manual',
    keepalive: false,
    decompress: false,
    signal,
    ...(secure && { tls }),
  });
  void response.body?.cancel();
  return response.status;
}
