import { resolve } from 'node:path';
import type { Names } from './balancing/dns-resolver.ts';
import { ConfigurationError } from './lib/configuration-error.ts';
import { formatHost, parseHost } from './lib/host.ts';
import type { Outbound } from './lib/outbound.ts';
import { readCertificates } from './lib/x509.ts';
import { readText } from './read-settings.ts';
import { type Settings, settingFields } from './settings.ts';

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

const NAME_SERVER_PORT = 53;
const PROXIES = ['https_proxy', 'HTTPS_PROXY', 'http_proxy', 'HTTP_PROXY'];

/** What the settings say of names. A proxy in the environment looks up names itself: then only targets are looked up here. */
export function namesOf(
  { dns_hostsfile, dns_resolver, prefix }: Settings,
  environment: Readonly<Record<string, string | undefined>>,
): Names {
  const servers = dns_resolver?.map(text => {
    const host = parseHost(text);
    return typeof host === 'string' ? text : formatHost(host, NAME_SERVER_PORT);
  });
  const isSaid = dns_resolver !== null || dns_hostsfile !== settingFields.fields['dns_hostsfile']?.facts.default;
  const isProxied = PROXIES.some(name => environment[name]);
  return { hostsFile: resolve(prefix, dns_hostsfile), servers: servers ?? null, lookUpHosts: isSaid && !isProxied };
}
