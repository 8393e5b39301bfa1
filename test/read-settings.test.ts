import { afterEach, describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readSettings, type SettingSources } from '../src/read-settings.ts';
import { kongConfiguration, publicSettings } from '../src/settings.ts';

const folder = mkdtempSync(join(tmpdir(), 'sluice-settings-'));
const file = join(folder, 'sluice.yaml');

const read = (sources: Partial<SettingSources> & { yaml?: string } = {}) => {
  writeFileSync(file, sources.yaml ?? '');
  return readSettings({ flags: {}, environment: {}, file, ...sources });
};

afterEach(() => rmSync(file, { force: true }));

test('without any source every setting has its default', () => {
  const { settings, warnings } = read();
  expect(settings).toMatchObject({
    proxy_listen: ['0.0.0.0:8000'],
    admin_listen: ['127.0.0.1:8001'],
    status_listen: ['127.0.0.1:8007'],
    database: 'sqlite://sluice.db',
    log_level: 'notice',
    admin_token: null,
    plugins: ['bundled'],
  });
  expect(warnings).toEqual([]);
});

test('the command line wins over the environment, and that over the file', () => {
  const yaml = 'log_level: debug\nlog_format: text\ndatabase: sqlite://file.db\n';
  const environment = { SLUICE_LOG_LEVEL: 'info', SLUICE_LOG_FORMAT: 'json' };
  const { settings } = read({ yaml, environment, flags: { log_level: 'crit' } });
  expect(settings).toMatchObject({ log_level: 'crit', log_format: 'json', database: 'sqlite://file.db' });
});

test.each([
  ['with commas', 'proxy_listen: 127.0.0.1:1, 127.0.0.1:2 ssl\n'],
  ['as a YAML list', 'proxy_listen:\n  - 127.0.0.1:1\n  - 127.0.0.1:2 ssl\n'],
])('a list may be written %s', (_, yaml) => {
  expect(read({ yaml }).settings.proxy_listen).toEqual(['127.0.0.1:1', '127.0.0.1:2 ssl']);
});

test('an empty variable is no setting', () => {
  expect(read({ environment: { SLUICE_ADMIN_TOKEN: '' } }).settings.admin_token).toBeNull();
});

describe('systemd', () => {
  test('its state directory is the prefix', () => {
    expect(read({ environment: { STATE_DIRECTORY: '/var/lib/sluice:/var/lib/other' } }).settings.prefix).toBe('/var/lib/sluice');
  });

  test('its credential is the token, without the newline at its end', () => {
    writeFileSync(join(folder, 'admin_token'), 'secret\n');
    expect(read({ environment: { CREDENTIALS_DIRECTORY: folder } }).settings.admin_token).toBe('secret');
  });

  test('what is set wins over it', () => {
    const environment = { CREDENTIALS_DIRECTORY: folder, STATE_DIRECTORY: '/var/lib/sluice', SLUICE_ADMIN_TOKEN: 'set' };
    expect(read({ yaml: 'prefix: /srv\n', environment }).settings).toMatchObject({ prefix: '/srv', admin_token: 'set' });
  });
});

test('an unknown variable is a warning, and one of kong.conf is called that', () => {
  const { warnings } = read({ environment: { SLUICE_PORT: '1', SLUICE_NGINX_WORKER_PROCESSES: '2', KONG_DATABASE: 'off', HOME: '/' } });
  expect(warnings).toEqual([
    'SLUICE_PORT: unknown setting port',
    'SLUICE_NGINX_WORKER_PROCESSES: nginx_worker_processes is a setting of kong.conf that has no meaning here',
  ]);
});

describe('what stops the start, in one line that says where', () => {
  const yaml = (text: string) => ({ yaml: text });
  const flag = (name: string, value: string) => ({ flags: { [name]: value } });
  test.each<[string, Partial<SettingSources> & { yaml?: string }, string]>([
    ['an unknown setting in the file', yaml('\nproxy_listne: x\n'), `${file}:2: unknown setting proxy_listne`],
    ['one of kong.conf', yaml('pg_host: x\n'), `${file}:1: pg_host is a setting of kong.conf that has no meaning here`],
    ['an unknown flag', flag('nonsense', 'x'), '--nonsense: unknown setting nonsense'],
    ['bad YAML', yaml('a: [\n'), `${file}:2`],
    ['YAML that is no settings', yaml('- a\n'), `${file}: expected settings, one NAME: VALUE a line`],
    ['a wrong type', yaml('log_level: [a]\n'), `${file}:1: log_level: expected a string`],
    ['a value that does not exist', flag('log_level', 'loud'), '--log-level: log_level: expected one of: debug, info'],
    ['a bad address', { environment: { SLUICE_PROXY_LISTEN: '8000' } }, 'SLUICE_PROXY_LISTEN: proxy_listen: expected ADDRESS:PORT'],
    ['off beside an address', flag('proxy_listen', 'off,0.0.0.0:1'), '--proxy-listen: proxy_listen: off stands alone'],
    [
      'an open Admin API',
      flag('admin_listen', '0.0.0.0:8001'),
      '0.0.0.0:8001 can be reached from other machines, so admin_token must be set',
    ],
    [
      'a token that no header can carry',
      { environment: { SLUICE_ADMIN_TOKEN: 'secret\n' } },
      'admin_token: expected ASCII without a space',
    ],
    ['a database of another kind', flag('database', 'mysql://x'), '--database: database: expected sqlite://PATH or off'],
    ['PostgreSQL', flag('database', 'postgres://x'), 'PostgreSQL is not in this version'],
    ['a web UI', flag('admin_gui_listen', '127.0.0.1:8002'), 'the web UI is not in this version'],
    ['no worker', flag('workers', '0'), 'expected auto or a number from 1 to 999'],
    ['half a worker', flag('workers', '1.5'), 'expected auto or a number from 1 to 999'],
    ['a file beside a database', flag('declarative_config', 'x.yaml'), 'only has a meaning with database off'],
    ['a certificate without key', flag('ssl_cert', 'x.pem'), '--ssl-cert: ssl_cert: needs ssl_cert_key beside it'],
    ['a key without certificate', flag('admin_ssl_cert_key', 'x.pem'), 'needs admin_ssl_cert beside it'],
    ['a page that is no URL', flag('admin_gui_url', 'manager:8002'), 'expected http://HOST:PORT or https://HOST:PORT'],
    ['a proxy that is no URL', flag('https_proxy', 'proxy:3128'), '--https-proxy: https_proxy: expected http://HOST:PORT'],
    ['a name server that is a name', flag('dns_resolver', 'dns.example:53'), '--dns-resolver: dns_resolver: expected ADDRESS:PORT'],
    ['a file that is not there', { file: join(folder, 'none.yaml') }, `${folder}/none.yaml: cannot be read: no such file`],
  ])('%s', (_, sources, message) => {
    expect(() => read(sources)).toThrow(message);
  });
});

test('no secret appears where settings are shown', () => {
  const { settings } = read({ flags: { admin_token: 'secret', https_proxy: 'http://user:secret@proxy:3128' } });
  expect(publicSettings(settings)).toMatchObject({ admin_token: '[redacted]', https_proxy: 'http://[redacted]@proxy:3128' });
  expect(JSON.stringify(publicSettings(settings))).not.toContain('secret');
});

test('the listeners are told apart as the tools of Kong expect', () => {
  const { settings } = read({ flags: { proxy_listen: '0.0.0.0:8000, [::1]:8443 ssl', admin_listen: 'off' } });
  expect(kongConfiguration(settings)).toMatchObject({
    role: 'traditional',
    proxy_listeners: [
      { ip: '0.0.0.0', port: 8000, ssl: false, listener: '0.0.0.0:8000' },
      { ip: '::1', port: 8443, ssl: true, listener: '[::1]:8443 ssl' },
    ],
    admin_listeners: [],
    admin_gui_listeners: [],
  });
});
