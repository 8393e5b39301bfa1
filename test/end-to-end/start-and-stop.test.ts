import { describe, expect, setDefaultTimeout, test } from 'bun:test';
import { chmodSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { openDatagramSocket, python } from '../support/datagram-socket.ts';
import { EXECUTABLE, newFolder, type RunningGateway, runExecutable, startGateway } from '../support/executable.ts';
import { refused } from '../support/refused.ts';
import { startUpstream } from '../support/upstream.ts';
import { cannotDropPrivileges, withoutPrivileges } from '../support/without-privileges.ts';

setDefaultTimeout(30_000);

const root = join(import.meta.dir, '..', '..');

const routeTo = async (gateway: RunningGateway, url: string) => {
  await gateway.request('POST', '/services', { name: 'upstream', url });
  expect((await gateway.request('POST', '/services/upstream/routes', { name: 'all', paths: ['/'] })).status).toBe(201);
};

test('version names version, commit and the level of the Admin API', async () => {
  const { exitCode, stdout } = await runExecutable(['version']);
  expect(stdout).toMatch(/^sluice \d+\.\d+\.\d+ \(commit ([0-9a-f]{7,}|unknown), Kong Admin API 3\.9\.1\)\n$/);
  expect(exitCode).toBe(0);
});

test.each(['--help', 'start --help', 'check -h', 'import --help', 'export --help', 'health --help'])('sluice %s explains', async line => {
  const { exitCode, stdout, stderr } = await runExecutable(line.split(' '));
  expect(stdout).toContain('sluice');
  expect([exitCode, stderr]).toEqual([0, '']);
});

test('a .env file in the folder decides about nothing', async () => {
  const folder = newFolder();
  writeFileSync(join(folder, '.env'), 'SLUICE_LOG_LEVEL=nonsense\n');
  expect(await runExecutable(['check'], { folder })).toMatchObject({ exitCode: 0, stderr: '' });
});

test('a terminal shows where everything is and what to do next', async () => {
  const child = Bun.spawn(
    [EXECUTABLE, '--log-format', 'text', '--proxy-listen', '127.0.0.1:0', '--admin-listen', '127.0.0.1:0', '--status-listen', 'off'],
    {
      cwd: newFolder(),
      stdout: 'pipe',
    },
  );
  let shown = '';
  for await (const bytes of child.stdout) {
    shown += new TextDecoder().decode(bytes);
    if (shown.includes('url=http://localhost:32000"')) break;
  }
  child.kill('SIGTERM');
  expect(await child.exited).toBe(0);
  expect(shown).toMatch(/Proxy {6}http:\/\/127\.0\.0\.1:\d+\n/);
  expect(shown).toMatch(/Data {7}\/.*\/sluice\.db\n/);
  expect(shown).toMatch(/curl -X POST http:\/\/127\.0\.0\.1:\d+\/services/);
});

test('status, readiness and health answer while it serves, and health fails when it does not', async () => {
  const gateway = await startGateway();
  const get = async (path: string) => (await fetch(gateway.status + path)).status;
  expect([await get('/status'), await get('/status/ready'), await get('/services')]).toEqual([200, 200, 404]);
  const address = gateway.status.slice('http://'.length);
  expect(await runExecutable(['health', '--status-listen', address])).toMatchObject({ exitCode: 0, stderr: '' });
  await gateway.stop();
  const { exitCode, stderr } = await runExecutable(['health', '--status-listen', address]);
  expect(exitCode).toBe(1);
  expect(stderr).toStartWith(`sluice: no answer from ${gateway.status}/status: `);
});

test('an ssl listener works without a certificate of its own', async () => {
  await using gateway = await startGateway({ args: ['--proxy-listen', '127.0.0.1:0 ssl'] });
  expect(gateway.proxy).toStartWith('https://');
  expect((await fetch(gateway.proxy, { tls: { rejectUnauthorized: false } })).status).toBe(404);
});

test('more streams at once than the 256 that Bun allows by itself', async () => {
  const streams = 300;
  const upstream = startUpstream();
  upstream.answer('silence');
  await using gateway = await startGateway();
  await routeTo(gateway, upstream.url);
  const { hostname, port } = new URL(gateway.proxy);
  // Sockets, because `fetch` has the same limit here.
  const clients = Array.from({ length: streams }, () => {
    const client = connect(Number(port), hostname);
    client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    return client;
  });
  await upstream.begun(streams);
  for (const client of clients) client.destroy();
  upstream.stop();
});

test('headers of up to 64 KiB', async () => {
  await using gateway = await startGateway();
  const status = async (size: number) => (await fetch(gateway.proxy, { headers: { 'x-large': 'x'.repeat(size) } })).status;
  expect([await status(60_000), await status(70_000)]).toEqual([404, 431]);
});

describe('the admin token', () => {
  const environment = { SLUICE_ADMIN_LISTEN: '0.0.0.0:0', SLUICE_ADMIN_TOKEN: 'correct-horse' };

  test('opens the Admin API to other machines, and only to who has it', async () => {
    await using gateway = await startGateway({ environment });
    const status = async (headers: Record<string, string>) => (await fetch(`${gateway.admin}/services`, { headers })).status;
    expect(await status({})).toBe(401);
    expect(await status({ 'kong-admin-token': 'wrong' })).toBe(401);
    expect(await status({ 'kong-admin-token': 'correct-horse' })).toBe(200);
    expect(await status({ authorization: 'Bearer correct-horse' })).toBe(200);
  });

  test('may come from systemd, as a credential', async () => {
    const folder = newFolder();
    writeFileSync(join(folder, 'admin_token'), 'correct-horse\n');
    await using gateway = await startGateway({ environment: { SLUICE_ADMIN_LISTEN: '0.0.0.0:0', CREDENTIALS_DIRECTORY: folder } });
    expect((await fetch(gateway.admin, { headers: { 'kong-admin-token': 'correct-horse' } })).status).toBe(200);
  });
});

describe('the end', () => {
  test('SIGTERM during a stream: it ends whole, new connections are refused, exit code 0', async () => {
    const upstream = startUpstream();
    upstream.answer({ framing: 'chunked', chunks: ['one ', 'two ', 'three'], gated: true });
    const gateway = await startGateway();
    await routeTo(gateway, upstream.url);
    const pending = fetch(gateway.proxy);
    await upstream.release();
    const response = await pending;
    const reader = response.body?.getReader() as ReadableStreamDefaultReader<Uint8Array>;
    const first = await reader.read();

    const exited = gateway.stop('SIGTERM');
    await refused(gateway.proxy);
    await upstream.release(2);
    let text = new TextDecoder().decode(first.value);
    for (let next = await reader.read(); !next.done; next = await reader.read()) text += new TextDecoder().decode(next.value);
    expect(text).toBe('one two three');
    expect(await exited).toBe(0);
    upstream.stop();
  });

  test('an idle connection does not hold it up', async () => {
    const gateway = await startGateway();
    await fetch(gateway.proxy);
    expect(await gateway.stop('SIGINT')).toBe(0);
  });

  test('who stops reading its output does not end it', async () => {
    const listen = ['--proxy-listen', '127.0.0.1:0', '--admin-listen', '127.0.0.1:0', '--status-listen', 'off'];
    const child = Bun.spawn([EXECUTABLE, ...listen], { cwd: newFolder(), stdout: 'pipe', stderr: 'pipe' });
    const reader = child.stdout.getReader();
    const ready = JSON.parse(new TextDecoder().decode((await reader.read()).value).split('\n')[0] ?? '') as { admin: string[] };
    await reader.cancel();
    for (const _ of [1, 2, 3]) {
      expect(
        (
          await fetch(`${ready.admin[0]}/services`, {
            method: 'POST',
            body: 'url=http://a',
            headers: { 'content-type': 'application/x-www-form-urlencoded' },
          })
        ).status,
      ).toBe(201);
    }
    child.kill('SIGTERM');
    expect(await child.exited).toBe(0);
  });
});

describe('without a database', () => {
  const file = (text: string) => {
    const folder = newFolder();
    writeFileSync(join(folder, 'gateway.yaml'), text);
    return folder;
  };
  const environment = { SLUICE_DATABASE: 'off', SLUICE_DECLARATIVE_CONFIG: 'gateway.yaml' };
  const named = (name: string) => `_format_version: "3.0"\nservices:\n  - name: ${name}\n    url: http://localhost:1\n`;
  const has = async (gateway: RunningGateway, name: string) => (await gateway.request('GET', `/services/${name}`)).status === 200;

  test('SIGHUP loads the file again, and keeps the old one when the new one is bad', async () => {
    const folder = file(named('old'));
    await using gateway = await startGateway({ folder, environment });
    expect(await has(gateway, 'old')).toBe(true);

    writeFileSync(join(folder, 'gateway.yaml'), named('new'));
    gateway.signal('SIGHUP');
    await gateway.logged(({ message }) => message === 'configuration loaded again');
    expect([await has(gateway, 'old'), await has(gateway, 'new')]).toEqual([false, true]);

    writeFileSync(join(folder, 'gateway.yaml'), named('worse').replace('url', 'uri'));
    gateway.signal('SIGHUP');
    const entry = await gateway.logged(({ level }) => level === 'error');
    expect(JSON.stringify(entry)).toContain("gateway.yaml:4: services 'worse': uri: unknown field");
    expect([await has(gateway, 'new'), await has(gateway, 'worse')]).toEqual([true, false]);
  });

  test('a bad file stops the start, in one line with its place', async () => {
    const { exitCode, stderr } = await runExecutable(['start'], { folder: file(`${named('bad')}    retries: many\n`), environment });
    expect([exitCode, stderr]).toEqual([1, "sluice: gateway.yaml:5: services 'bad': retries: expected an integer\n"]);
  });

  test.each([
    [
      'settings',
      'log_level: info\n',
      'gateway.yaml:1: _format_version: required field missing; gateway.yaml:1: log_level: unknown field; ',
    ],
    ['no setting at all', '# log_level: info\n', 'gateway.yaml:1: expected an object; '],
    ['a kong.conf', 'log_level = info\n', 'gateway.yaml:1: expected an object; '],
    ['a mistake alone', `${named('bad')}    retries: many\n`, "gateway.yaml:5: services 'bad': retries: expected an integer"],
  ])('who checks a file with %s hears how settings are checked, if that is what it has', async (_, text, mistakes) => {
    const { exitCode, stderr } = await runExecutable(['check', 'gateway.yaml'], { folder: file(text) });
    const hint = mistakes.endsWith('; ') ? 'gateway.yaml: a file of settings is checked by sluice check -c gateway.yaml' : '';
    expect([exitCode, stderr]).toEqual([1, `sluice: ${mistakes}${hint}\n`]);
  });

  test('several mistakes are one line for a program, and on a terminal a line each', async () => {
    const folder = file(`${named('bad')}    retries: many\nplugins:\n  - name: acl\n    config: {allow: [a], dney: [b]}\nservces: []\n`);
    const mistakes = [
      'gateway.yaml:9: servces: unknown field',
      "gateway.yaml:5: services 'bad': retries: expected an integer",
      "gateway.yaml:8: plugins 'acl': config.dney: unknown field",
    ];
    const { stderr } = await runExecutable(['check', 'gateway.yaml'], { folder });
    expect(stderr).toBe(`sluice: ${mistakes.join('; ')}\n`);

    let shown = '';
    const data = (_: Bun.Terminal, bytes: Uint8Array) => {
      shown += new TextDecoder().decode(bytes);
    };
    const closed = Promise.withResolvers<void>();
    const terminal = { data, exit: () => closed.resolve() };
    await Bun.spawn([EXECUTABLE, 'check', 'gateway.yaml'], { cwd: folder, env: {}, terminal }).exited;
    await closed.promise;
    expect(shown.trimEnd().split('\r\n')).toEqual(mistakes.map(mistake => `sluice: ${mistake}`));
  });
});

describe('what stops the start, each in one line', () => {
  test('a port that is in use', async () => {
    await using gateway = await startGateway();
    const address = gateway.proxy.slice('http://'.length);
    const { exitCode, stderr } = await runExecutable([
      'start',
      '--proxy-listen',
      address,
      '--admin-listen',
      'off',
      '--status-listen',
      'off',
    ]);
    expect([exitCode, stderr]).toEqual([1, `sluice: proxy_listen: cannot listen on ${address}: another program listens there\n`]);
    expect((await fetch(gateway.proxy)).status).toBe(404);
  });

  test('a port that another kind of program uses', async () => {
    const other = createServer();
    await new Promise<void>(resolve => other.listen(0, '127.0.0.1', resolve));
    const address = `127.0.0.1:${(other.address() as { port: number }).port}`;
    const { exitCode, stderr } = await runExecutable([
      'start',
      '--admin-listen',
      address,
      '--proxy-listen',
      'off',
      '--status-listen',
      'off',
    ]);
    expect([exitCode, stderr]).toEqual([1, `sluice: admin_listen: cannot listen on ${address}: another program listens there\n`]);
    other.close();
  });

  test.each([
    [
      'a missing database directory',
      ['--database', 'sqlite:///nowhere/sluice.db'],
      'cannot open the database /nowhere/sluice.db: the directory /nowhere does not exist',
    ],
    [
      'a read-only database directory',
      ['--database', 'sqlite:///sys/kernel/sluice.db'],
      'cannot open the database /sys/kernel/sluice.db: permission denied',
    ],
    ['an unknown setting', ['--speed', 'high'], '--speed: unknown setting speed'],
    ['an unknown plugin', ['--plugins', 'ai-proxy,nonsense'], 'plugins: there is no plugin nonsense'],
    ['an open Admin API without token', ['--admin-listen', '0.0.0.0:0'], 'admin_token must be set'],
    ['a settings file that is not there', ['-c', 'none.yaml'], 'none.yaml: cannot be read: no such file'],
    ['a settings file that is a folder', ['-c', '/'], '/: cannot be read: is a folder'],
    ['certificates that are none', ['--trusted-certificates', join(root, 'package.json')], 'holds no PEM certificate'],
    ['an address range that is none', ['--trusted-ips', '10.0.0.0/99'], 'trusted_ips: '],
    ['a header that Kong does not have', ['--headers', 'nonsense'], 'headers: '],
  ])('%s', async (_, args, message) => {
    const { exitCode, stderr } = await runExecutable(['start', ...args], { environment: { SLUICE_PROXY_LISTEN: '127.0.0.1:0' } });
    expect(exitCode).toBeGreaterThan(0);
    expect(stderr).toContain(message);
    expect(stderr.trimEnd()).not.toContain('\n');
  });

  test.skipIf(cannotDropPrivileges !== null)('a settings file that this user may not read', async () => {
    const folder = newFolder();
    const file = join(folder, 'sluice.yaml');
    writeFileSync(file, '');
    chmodSync(file, 0o000);
    const child = Bun.spawn(withoutPrivileges([EXECUTABLE, 'check', '-c', file]), { cwd: folder, stderr: 'pipe' });
    expect(await child.stderr.text()).toBe(`sluice: ${file}: cannot be read: permission denied\n`);
    expect(await child.exited).toBe(1);
  });
});

test.skipIf(!python)('systemd hears when it is ready, loads again and stops', async () => {
  const folder = newFolder();
  const NOTIFY_SOCKET = join(folder, 'notify');
  using socket = await openDatagramSocket(NOTIFY_SOCKET);
  const gateway = await startGateway({ folder, environment: { NOTIFY_SOCKET, SLUICE_DATABASE: 'off' } });
  expect(await socket.next()).toBe('READY=1');
  gateway.signal('SIGHUP');
  expect([await socket.next(), await socket.next()]).toEqual(['RELOADING=1', 'READY=1']);
  const exited = gateway.stop();
  expect(await socket.next()).toBe('STOPPING=1');
  expect(await exited).toBe(0);
});

const analyze = Bun.which('systemd-analyze');
if (!analyze) console.log('skipped: needs systemd-analyze');

test.skipIf(!analyze)('config/sluice.service is a unit that systemd takes', async () => {
  const unit = await Bun.file(join(root, 'config', 'sluice.service')).text();
  const folder = newFolder();
  const file = join(folder, 'sluice.service');
  writeFileSync(file, unit.replaceAll('/usr/local/bin/sluice', EXECUTABLE));
  const verify = Bun.spawnSync([analyze as string, 'verify', file], { stderr: 'pipe' });
  expect([verify.exitCode, verify.stderr.toString()]).toEqual([0, '']);
  expect(unit).not.toMatch(/^MemoryDenyWriteExecute=/m);
});
