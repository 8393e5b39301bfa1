import { usableCores } from './lib/cores.ts';
import { parseHost } from './lib/host.ts';
import { isLoopback, parseListenAddress } from './lib/listen-address.ts';
import { LOG_FORMATS, LOG_LEVELS } from './lib/log.ts';
import { parseProxyUrl } from './lib/outbound.ts';
import { REDACTED, redact } from './lib/redact.ts';
import { array, type Infer, record, string } from './schema/field.ts';

/** Every setting, once: names are those of kong.conf where Kong has the setting. README and config/sluice.yaml are checked against it. */
export const settingFields = record(
  {
    proxy_listen: array(string({ custom_validator: address }), {
      required: true,
      default: ['0.0.0.0:8000'],
      description:
        'Where clients connect: `ADDRESS:PORT`, with ` ssl` for TLS, ` http2` for HTTP/2 and ` proxy_protocol`, several with commas; `off`.',
    }),
    admin_listen: array(string({ custom_validator: address }), {
      required: true,
      default: ['127.0.0.1:8001'],
      description: 'Where the Admin API listens, likewise. An address that is not loopback needs `admin_token`.',
    }),
    admin_gui_listen: array(string({ one_of: ['off'], err: 'the web UI is not in this version: only off is possible' }), {
      required: true,
      default: ['off'],
      description: 'Where the web UI listens: not in this version, so `off`.',
    }),
    admin_gui_url: array(string({ custom_validator: webPage }), {
      required: true,
      default: [],
      description: 'URLs at which browsers find the web UI: its pages may call the Admin API, pages of other hosts may not.',
    }),
    status_listen: array(string({ custom_validator: address }), {
      required: true,
      default: ['127.0.0.1:8007'],
      description: 'Where `/status`, `/status/ready` and `/metrics` answer for monitoring, without a token; `off`.',
    }),
    admin_token: string({
      encrypted: true,
      custom_validator: tokenError,
      description:
        'What the Admin API asks for in `Authorization: Bearer` or `Kong-Admin-Token`. Under systemd, the credential `admin_token` when not set.',
    }),
    database: string({
      required: true,
      default: 'sqlite://sluice.db',
      custom_validator: database,
      description: 'Where the configuration is kept: `sqlite://PATH`, or `off` for a gateway that is one declarative file.',
    }),
    declarative_config: string({
      description: 'With `database: off`: the file that is the configuration. Read again on SIGHUP.',
    }),
    workers: string({
      required: true,
      default: 'auto',
      custom_validator: workers,
      description:
        'Processes that serve the proxy port: `auto` is one for each core, on Linux. More than one are kept running by one that serves none.',
    }),
    log_level: string({
      required: true,
      default: 'notice',
      one_of: LOG_LEVELS,
      description: `The least that is logged: \`${LOG_LEVELS.join(' ')}\`.`,
    }),
    log_format: string({
      one_of: LOG_FORMATS,
      description: 'How standard output is written: `text` or `json`. When not set, `text` on a terminal and `json` otherwise.',
    }),
    trusted_ips: array(string(), {
      required: true,
      default: [],
      description: 'Addresses and CIDR blocks of load balancers whose `X-Forwarded-…` headers are believed.',
    }),
    real_ip_header: string({
      required: true,
      default: 'X-Real-IP',
      description:
        'The header in which a trusted load balancer names the client; `proxy_protocol`: what it says when it connects, where `proxy_listen` says so.',
    }),
    real_ip_recursive: string({
      required: true,
      default: 'off',
      one_of: ['on', 'off'],
      description: 'Of a list in that header, `on` takes the last address that is not in `trusted_ips`, `off` the last one.',
    }),
    headers: array(string(), {
      required: true,
      default: ['server_tokens', 'latency_tokens', 'X-Kong-Request-Id'],
      description: 'Headers that the gateway adds: `server_tokens`, `latency_tokens`, or names of single ones; `off`.',
    }),
    prefix: string({
      required: true,
      default: '.',
      description: 'The folder of relative paths in settings and plugin configuration. Under systemd, `$STATE_DIRECTORY` when not set.',
    }),
    ssl_cert: string({ description: 'Certificate of `ssl` proxy listeners, a PEM file. When not set, a self-signed pair made at start.' }),
    ssl_cert_key: string({ description: 'Its private key, a PEM file.' }),
    admin_ssl_cert: string({ description: 'Certificate of `ssl` Admin API listeners, likewise.' }),
    admin_ssl_cert_key: string({ description: 'Its private key, a PEM file.' }),
    status_ssl_cert: string({ description: 'Certificate of `ssl` status listeners, likewise.' }),
    status_ssl_cert_key: string({ description: 'Its private key, a PEM file.' }),
    dns_hostsfile: string({
      required: true,
      default: '/etc/hosts',
      description: 'The hosts file in which names of upstreams and vendors are looked up first.',
    }),
    dns_resolver: array(string({ custom_validator: nameServer }), {
      description: "Name servers for upstreams and vendors, `ADDRESS:PORT`, several with commas. When not set, the machine's.",
    }),
    plugins: array(string(), {
      required: true,
      default: ['bundled'],
      description: 'Plugins that may be used: `bundled` for all, names, or `off`.',
    }),
    trusted_certificates: array(string(), {
      required: true,
      default: ['system'],
      description: "CAs trusted for upstreams and vendors: `system` (the machine's and the built-in ones) and / or PEM files.",
    }),
    https_proxy: string({
      custom_validator: outboundProxy,
      description:
        'The proxy through which `https://` upstreams and vendors are reached, `http://HOST:PORT`. When not set, `$HTTPS_PROXY`.',
    }),
    http_proxy: string({
      custom_validator: outboundProxy,
      description: 'The same for `http://` upstreams. When not set, `$HTTP_PROXY`.',
    }),
    no_proxy: array(string(), {
      description: 'Hosts, `.domains` and CIDR blocks reached without a proxy; `*` for all. When not set, `$NO_PROXY`.',
    }),
  },
  { required: true },
);

export type Settings = Infer<typeof settingFields>;
export type SettingName = keyof Settings;

export const isSetting = (name: string): name is SettingName => Object.hasOwn(settingFields.fields, name);

/** What one setting means for another: the setting at fault and what is wrong with it, or undefined. */
export function conflict(settings: Settings): readonly [SettingName, string] | undefined {
  for (const name of ['proxy_listen', 'admin_listen', 'status_listen'] as const) {
    if (settings[name].includes('off') && settings[name].length > 1) return [name, 'off stands alone'];
  }
  for (const name of ['admin_listen', 'status_listen'] as const) {
    const told = settings[name].find(text => text !== 'off' && parseListenAddress(text).proxyProtocol);
    if (told) return [name, `${told}: proxy_protocol is for proxy_listen alone`];
  }
  const open = settings.admin_listen.find(text => text !== 'off' && !isLoopback(parseListenAddress(text)));
  if (open && settings.admin_token === null)
    return ['admin_listen', `${open} can be reached from other machines, so admin_token must be set`];
  if (settings.declarative_config !== null && settings.database !== 'off')
    return ['declarative_config', 'only has a meaning with database off'];
  for (const [cert, key] of [
    ['ssl_cert', 'ssl_cert_key'],
    ['admin_ssl_cert', 'admin_ssl_cert_key'],
    ['status_ssl_cert', 'status_ssl_cert_key'],
  ] as const) {
    if (settings[cert] !== null && settings[key] === null) return [cert, `needs ${key} beside it`];
    if (settings[key] !== null && settings[cert] === null) return [key, `needs ${cert} beside it`];
  }
  return undefined;
}

/** How many processes serve. Elsewhere than on Linux the system does not spread connections over those that share a port. */
export function workerCount({ workers }: Settings): number {
  if (workers !== 'auto') return Number(workers);
  return process.platform === 'linux' ? usableCores() : 1;
}

/** Settings for people and logs: what is secret is left out. */
export function publicSettings(settings: Settings): Readonly<Record<string, unknown>> {
  const secret = (name: string) => settingFields.fields[name]?.facts.encrypted === true;
  return Object.fromEntries(
    Object.entries(settings).map(([name, value]) => [name, secret(name) && value !== null ? REDACTED : redact(value, name)]),
  );
}

/** What Kong's tools look for among the settings, and sluice has no setting for. */
export function kongConfiguration(settings: Settings): Readonly<Record<string, unknown>> {
  const listeners = (texts: readonly string[]) =>
    texts
      .filter(text => text !== 'off')
      .map(text => {
        const { hostname, port, tls, http2, proxyProtocol } = parseListenAddress(text);
        return { ip: hostname, port, ssl: tls, http2, proxy_protocol: proxyProtocol, listener: text };
      });
  return {
    role: 'traditional',
    router_flavor: 'traditional_compatible',
    proxy_listeners: listeners(settings.proxy_listen),
    admin_listeners: listeners(settings.admin_listen),
    admin_gui_listeners: listeners(settings.admin_gui_listen),
    status_listeners: listeners(settings.status_listen),
  };
}

function address(text: string): string | undefined {
  return text === 'off' ? undefined : message(() => parseListenAddress(text));
}

function workers(text: string): string | undefined {
  return text === 'auto' || /^[1-9]\d{0,2}$/.test(text) ? undefined : 'expected auto or a number from 1 to 999';
}

/** Headers lose spaces at the ends of their values, and clients do not agree on what is not ASCII. */
function tokenError(token: string): string | undefined {
  return /^[!-~](?:[ -~]*[!-~])?$/.test(token) ? undefined : 'expected ASCII without a space or a line break at either end';
}

function database(text: string): string | undefined {
  if (text === 'off' || /^sqlite:\/\/./.test(text)) return undefined;
  if (/^postgres(ql)?:\/\//.test(text)) return 'PostgreSQL is not in this version: use sqlite://PATH or off';
  return 'expected sqlite://PATH or off';
}

function webPage(text: string): string | undefined {
  const url = URL.parse(text);
  return url !== null && (url.protocol === 'http:' || url.protocol === 'https:')
    ? undefined
    : 'expected http://HOST:PORT or https://HOST:PORT';
}

function nameServer(text: string): string | undefined {
  const host = parseHost(text);
  return typeof host === 'string' || host.kind === 'name' ? 'expected ADDRESS:PORT of a name server' : undefined;
}

function outboundProxy(text: string): string | undefined {
  return message(() => parseProxyUrl(text));
}

/** What `read` throws about a value, or undefined when it can be read. */
function message(read: () => unknown): string | undefined {
  try {
    read();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
