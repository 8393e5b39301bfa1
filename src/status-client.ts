import { ConfigurationError } from './lib/configuration-error.ts';
import { parseListenAddress } from './lib/listen-address.ts';
import type { Settings } from './settings.ts';

const PATIENCE_MS = 5000;
/** An address that listens everywhere is asked here. */
const EVERYWHERE: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' };

/** Asks the gateway that these settings start how it is. Resolves to the URL that answered well; rejects with an Error that says why not. */
export async function askStatus(settings: Settings): Promise<string> {
  const [text] = [...settings.status_listen, ...settings.admin_listen].filter(address => address !== 'off');
  if (text === undefined) throw new ConfigurationError('status_listen and admin_listen are off: there is nobody to ask');
  const url = `${urlOf(text)}/status`;
  const headers: Record<string, string> = settings.admin_token === null ? {} : { 'kong-admin-token': settings.admin_token };
  let response: Response;
  try {
    // It is this machine: its certificate may be self-signed, and no proxy stands in between.
    response = await fetch(url, { headers, proxy: '', tls: { rejectUnauthorized: false }, signal: AbortSignal.timeout(PATIENCE_MS) });
  } catch (error) {
    throw new Error(`no answer from ${url}: ${(error as Error).message}`);
  }
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return url;
}

/** The URL at which somebody on this machine reaches a listen address. */
export function urlOf(text: string, port?: number): string {
  const address = parseListenAddress(text);
  const hostname = EVERYWHERE[address.hostname] ?? address.hostname;
  return `${address.tls ? 'https' : 'http'}://${hostname.includes(':') ? `[${hostname}]` : hostname}:${port ?? address.port}`;
}
