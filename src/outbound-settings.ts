import { resolve } from 'node:path';
import { ConfigurationError } from './lib/configuration-error.ts';
import type { Outbound } from './lib/outbound.ts';
import { readCertificates } from './lib/x509.ts';
import { readText } from './read-settings.ts';
import type { Settings } from './settings.ts';

/** The settings that say how connections leave this machine. Throws a ConfigurationError for a file that holds no certificate. */
export function outboundOf(settings: Settings): Outbound {
  const files = settings.trusted_certificates.filter(name => name !== 'system').map(name => resolve(settings.prefix, name));
  return {
    httpsProxy: settings.https_proxy,
    httpProxy: settings.http_proxy,
    noProxy: settings.no_proxy,
    systemTrusted: settings.trusted_certificates.includes('system'),
    certificates: files.map(certificatesIn),
  };
}

function certificatesIn(file: string): string {
  const text = readText(file);
  try {
    return readCertificates(text).map(String).join('\n');
  } catch (error) {
    throw new ConfigurationError(`trusted_certificates: ${file} holds ${(error as Error).message}`);
  }
}
