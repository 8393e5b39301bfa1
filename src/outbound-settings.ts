import { X509Certificate } from 'node:crypto';
import { resolve } from 'node:path';
import { ConfigurationError } from './lib/configuration-error.ts';
import type { Outbound } from './lib/outbound.ts';
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
    certificates: files.map(readCertificates),
  };
}

function readCertificates(file: string): string {
  const text = readText(file);
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) throw new ConfigurationError(`trusted_certificates: ${file} holds no PEM certificate`);
  try {
    for (const block of blocks) new X509Certificate(block);
  } catch {
    throw new ConfigurationError(`trusted_certificates: ${file} holds a certificate that cannot be read`);
  }
  return blocks.join('\n');
}
