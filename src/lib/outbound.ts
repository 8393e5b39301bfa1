import { existsSync, mkdtempSync, readFileSync, rmdirSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { USUAL_ENVIRONMENT } from './execute-again.ts';

/** How connections leave this machine. */
export interface Outbound {
  readonly httpsProxy: string | null;
  readonly httpProxy: string | null;
  readonly noProxy: readonly string[] | null;
  /** The machine's CAs and the built-in ones count. */
  readonly systemTrusted: boolean;
  /** PEM texts of further CAs. */
  readonly certificates: readonly string[];
}

type Environment = Readonly<Record<string, string | undefined>>;

const BUNDLE_FOLDER = 'sluice-certificates-';

/** Reads the address of an outbound proxy. Throws an Error that says what is wrong. */
export function parseProxyUrl(text: string): URL {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol) || url.hostname === '') throw new Error('expected http://HOST:PORT');
  return url;
}

/**
 * The environment in which Bun's `fetch` behaves as the settings say. Bun reads it at start, so the process must be
 * executed with it. Several CA files become one, which `loadBundle` removes.
 */
export function outboundEnvironment(outbound: Outbound, environment: Environment): Record<string, string> {
  const { httpsProxy, httpProxy, noProxy, systemTrusted, certificates } = outbound;
  const { NODE_EXTRA_CA_CERTS: extra } = environment;
  const further = () => (extra && existsSync(extra) ? [readFileSync(extra, 'utf8'), ...certificates] : certificates);
  const changes: Readonly<Record<string, string | undefined>> = {
    ...USUAL_ENVIRONMENT,
    // Both spellings count, so only one may be left.
    ...(httpsProxy !== null && { HTTPS_PROXY: httpsProxy, https_proxy: undefined }),
    ...(httpProxy !== null && { HTTP_PROXY: httpProxy, http_proxy: undefined }),
    ...(noProxy !== null && { NO_PROXY: noProxy.join(','), no_proxy: undefined }),
    ...(!systemTrusted && { NODE_USE_SYSTEM_CA: undefined }),
    ...(systemTrusted && certificates.length > 0 && { NODE_EXTRA_CA_CERTS: writeBundle(further()) }),
  };
  const entries = Object.entries({ ...environment, ...changes });
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => entry[1] !== undefined));
}

/** The CAs that alone are trusted, for connections that are no `fetch`; undefined: the usual ones are. */
export const trustedAlone = (): string[] | undefined => alone;
let alone: string[] | undefined;

/** Makes `fetch` trust these CAs and no others: Bun always adds its built-in ones unless a call names its own. Disposing of what it returns takes that back. */
export function trustOnly(certificates: readonly string[]): Disposable {
  const { fetch } = globalThis;
  const ca = [...certificates];
  alone = ca;
  globalThis.fetch = Object.assign(
    (input: string | URL | Request, init?: BunFetchRequestInit) => fetch(input, { ...init, tls: { ca, ...init?.tls } }),
    { preconnect: fetch.preconnect },
  );
  return {
    [Symbol.dispose]() {
      alone = undefined;
      globalThis.fetch = fetch;
    },
  };
}

function writeBundle(certificates: readonly string[]): string {
  const file = join(mkdtempSync(join(tmpdir(), BUNDLE_FOLDER)), 'trusted.pem');
  writeFileSync(file, certificates.join('\n'), { mode: 0o600 });
  return file;
}

/** Loads the bundle that `outboundEnvironment` made, then removes it from the disk. Resolves to what it held; null: there is none. */
export async function loadBundle(environment: Environment): Promise<string | null> {
  const { NODE_EXTRA_CA_CERTS: file } = environment;
  if (file === undefined || !basename(dirname(file)).startsWith(BUNDLE_FOLDER)) return null;
  const tls = await import('node:tls');
  tls.getCACertificates('extra');
  const bundle = readFileSync(file, 'utf8');
  unlinkSync(file);
  rmdirSync(dirname(file));
  return bundle;
}

/** The environment for another process of this program, with the bundle that this one has loaded. */
export function environmentAnew(environment: Environment, bundle: string | null): Environment {
  return bundle === null ? environment : { ...environment, NODE_EXTRA_CA_CERTS: writeBundle([bundle]) };
}
