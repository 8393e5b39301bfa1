import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigurationError } from './lib/configuration-error.ts';
import { isObject } from './lib/json.ts';
import { parseYaml } from './lib/yaml.ts';
import type { Field } from './schema/field.ts';
import { type FieldErrors, validate } from './schema/validate.ts';
import { conflict, isSetting, type SettingName, type Settings, settingFields } from './settings.ts';

export interface SettingSources {
  /** From the command line, names as the settings have them. */
  readonly flags: Readonly<Record<string, string>>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Named on the command line: must be there. */
  readonly file?: string | undefined;
}

export interface ReadSettings {
  readonly settings: Settings;
  /** The file that was read, or null. */
  readonly file: string | null;
  readonly warnings: readonly string[];
}

/** A value and where it came from, in the words of whoever wrote it: `--log-level`, `SLUICE_LOG_LEVEL`, `sluice.yaml:3`. */
interface Found {
  readonly value: unknown;
  readonly origin: string;
}

const ENVIRONMENT_PREFIX = 'SLUICE_';
const DEFAULT_FILES = ['sluice.yaml', '/etc/sluice/sluice.yaml'];

/** Settings of kong.conf that sluice does not have: nginx, PostgreSQL, clustering, Lua and Kong's enterprise edition. */
const KONG_SETTING = new RegExp(
  `^(${[
    '(nginx|pg|cassandra|cluster|keyring|portal|smtp|vitals|lmdb|lua|untrusted_lua|db|dns|resolver|wasm|analytics|rbac)_.+',
    '(tracing|opentelemetry|upstream_keepalive|audit_log|admin_gui|admin_emails|pluginserver|worker|error_template|client_ssl)_.+',
    '(proxy|admin|status|debug|stream|proxy_stream|admin_gui)_(access_log|error_log)',
    'ssl_(cipher_suite|ciphers|protocols|prefer_server_ciphers|dhparam|session_.+)',
    '(stream|debug|portal_api|portal_gui)_listen|proxy_server(_ssl_verify)?|proxy_url|admin_api_uri|client_body_buffer_size|mem_cache_size',
    'anonymous_reports|port_maps|host_ports|node_id|role|vaults|konnect_mode|portal|vitals|audit_log|enforce_rbac',
    'allow_debug_header|router_flavor|route_validation_strategy|error_default_type|client_ssl|fips|kic|openresty_path|tracing',
    'legacy_worker_events|declarative_config_(string|encryption_mode)|event_hooks_enabled|enforce_route_path_pattern',
  ].join('|')})$`,
);

/**
 * The settings: from the command line, else the environment, else the file, else their defaults.
 * Throws a ConfigurationError, one line that names the setting and where it was written.
 */
export function readSettings({ flags, environment, file }: SettingSources): ReadSettings {
  const warnings: string[] = [];
  const found = new Map<SettingName, Found>();
  const path = file ?? DEFAULT_FILES.find(isThere);
  if (path !== undefined) fromFile(path, found);
  fromSystemd(environment, found);
  fromEnvironment(environment, found, warnings);
  for (const [name, value] of Object.entries(flags)) {
    const origin = `--${name.replaceAll('_', '-')}`;
    if (!isSetting(name)) throw new ConfigurationError(`${origin}: ${describeUnknown(name)}`);
    found.set(name, { value, origin });
  }
  return { settings: checked(found), file: path ?? null, warnings };
}

/** What to say of a name that is no setting. */
export function describeUnknown(name: string): string {
  return KONG_SETTING.test(name) ? `${name} is a setting of kong.conf that has no meaning here` : `unknown setting ${name}`;
}

function fromFile(path: string, found: Map<SettingName, Found>): void {
  const { value, where } = parseYaml(readText(path), path);
  if (value === null || value === undefined) return;
  if (!isObject(value)) throw new ConfigurationError(`${path}: expected settings, one NAME: VALUE a line`);
  for (const [name, given] of Object.entries(value)) {
    const origin = where([name]);
    if (!isSetting(name)) throw new ConfigurationError(`${origin}: ${describeUnknown(name)}`);
    if (given !== null) found.set(name, { value: given, origin });
  }
}

/** Where systemd says that state belongs, and a credential that it was told to load. */
function fromSystemd(environment: SettingSources['environment'], found: Map<SettingName, Found>): void {
  const { STATE_DIRECTORY, CREDENTIALS_DIRECTORY } = environment;
  // Several directories of a unit come joined by colons.
  if (STATE_DIRECTORY && !found.has('prefix')) found.set('prefix', { value: STATE_DIRECTORY.split(':')[0], origin: 'STATE_DIRECTORY' });
  if (!CREDENTIALS_DIRECTORY || found.has('admin_token')) return;
  const credential = join(CREDENTIALS_DIRECTORY, 'admin_token');
  if (existsSync(credential)) found.set('admin_token', { value: readText(credential).trim(), origin: credential });
}

function fromEnvironment(environment: SettingSources['environment'], found: Map<SettingName, Found>, warnings: string[]): void {
  for (const [variable, value] of Object.entries(environment)) {
    if (!variable.startsWith(ENVIRONMENT_PREFIX) || value === undefined) continue;
    const name = variable.slice(ENVIRONMENT_PREFIX.length).toLowerCase();
    if (!isSetting(name)) warnings.push(`${variable}: ${describeUnknown(name)}`);
    // An empty variable is how compose files and CI systems say that there is none.
    else if (value !== '') found.set(name, { value, origin: variable });
  }
}

function checked(found: ReadonlyMap<SettingName, Found>): Settings {
  const input = Object.fromEntries([...found].map(([name, { value }]) => [name, typed(settingFields.fields[name] as Field, value)]));
  const result = validate(settingFields, input);
  if ('errors' in result) {
    const [name = '', error] = Object.entries(result.errors)[0] ?? [];
    throw new ConfigurationError(`${origin(found, name)}${name}: ${firstMessage(error)}`);
  }
  const problem = conflict(result.value);
  if (problem) throw new ConfigurationError(`${origin(found, problem[0])}${problem[0]}: ${problem[1]}`);
  return result.value;
}

/** What is wrong with a setting, or with the first bad member of a list. */
function firstMessage(error: FieldErrors[string] | undefined): string {
  return Array.isArray(error) ? String(error.find(member => member !== null)) : String(error);
}

function origin(found: ReadonlyMap<string, Found>, name: string): string {
  const from = found.get(name)?.origin;
  return from === undefined ? '' : `${from}: `;
}

/** Lists may be written with commas, and numbers where text is expected: command line and environment know nothing but text. */
function typed(field: Field, value: unknown): unknown {
  if (field.type === 'array' && typeof value === 'string') {
    return value
      .split(',')
      .map(part => part.trim())
      .filter(part => part !== '');
  }
  return field.type === 'string' && typeof value === 'number' ? String(value) : value;
}

/** Throws for a file that may be there but cannot be looked at: to go on without it would serve other settings than the operator's. */
function isThere(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    throw new ConfigurationError(`${path}: cannot be read: ${reason(error)}`);
  }
}

/** The text of a file that must be readable. */
export function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new ConfigurationError(`${path}: cannot be read: ${reason(error)}`);
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EACCES: 'permission denied',
  EISDIR: 'is a folder',
};

function reason(error: unknown): string {
  const { code = '', message } = error as NodeJS.ErrnoException;
  return REASONS[code] ?? message;
}
