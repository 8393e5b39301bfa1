import { resolve } from 'node:path';
import { ConfigurationError } from './lib/configuration-error.ts';
import type { Stoppable } from './lib/drain.ts';
import { type ListenAddress, parseListenAddress } from './lib/listen-address.ts';
import { node } from './lib/node.ts';
import { type KeyPair, selfSigned } from './lib/self-signed.ts';
import { readText } from './read-settings.ts';
import type { Settings } from './settings.ts';
import { urlOf } from './status-client.ts';

/** What of a `Bun.Server` start and end need. */
interface Server extends Stoppable {
  readonly port: number | undefined;
}

export interface Listener {
  /** As somebody on this machine reaches it. */
  readonly url: string;
  readonly server: Server;
}

type Kind = 'proxy' | 'admin' | 'status';
type Start = (address: ListenAddress, tls: KeyPair | undefined) => Server;

export type Listeners = Readonly<Record<Kind, readonly Listener[]>>;

/** Opens every address of the listen settings. Throws a ConfigurationError that names the one which cannot be had; none is open then. */
export function openListeners(settings: Settings, start: Readonly<Record<Kind, Start>>): Listeners {
  const listeners: Record<Kind, Listener[]> = { proxy: [], admin: [], status: [] };
  try {
    for (const kind of ['proxy', 'admin', 'status'] as const) {
      for (const text of settings[`${kind}_listen`]) if (text !== 'off') listeners[kind].push(open(settings, kind, text, start[kind]));
    }
  } catch (error) {
    for (const { server } of Object.values(listeners).flat()) void server.stop(true);
    throw error;
  }
  return listeners;
}

function open(settings: Settings, kind: Kind, text: string, start: Start): Listener {
  const address = parseListenAddress(text);
  const pair = address.tls ? keyPair(settings, kind) : undefined;
  try {
    const server = start(address, pair);
    return { server, url: urlOf(text, server.port) };
  } catch (error) {
    throw new ConfigurationError(`${kind}_listen: cannot listen on ${text}: ${reason(error as NodeJS.ErrnoException)}`);
  }
}

function keyPair(settings: Settings, kind: Kind): KeyPair {
  const setting = kind === 'proxy' ? 'ssl_cert' : (`${kind}_ssl_cert` as const);
  const certificateFile = settings[setting];
  const keyFile = settings[`${setting}_key`];
  if (certificateFile === null || keyFile === null) return selfSigned();
  const pair = { cert: readText(resolve(settings.prefix, certificateFile)), key: readText(resolve(settings.prefix, keyFile)) };
  const { createPrivateKey, X509Certificate } = node.crypto;
  let matches: boolean;
  try {
    matches = new X509Certificate(pair.cert).checkPrivateKey(createPrivateKey(pair.key));
  } catch {
    throw new ConfigurationError(`${setting}: ${certificateFile} and ${keyFile} are not a PEM certificate and its private key`);
  }
  if (!matches) throw new ConfigurationError(`${setting}: ${keyFile} is not the private key of ${certificateFile}`);
  return pair;
}

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program listens there',
  EACCES: 'permission denied',
  EADDRNOTAVAIL: 'this machine has no such address',
};

function reason({ code = '', message }: NodeJS.ErrnoException): string {
  return REASONS[code] ?? message;
}
