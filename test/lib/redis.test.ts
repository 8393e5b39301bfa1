import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { Redis, type RedisOptions } from '../../src/lib/redis.ts';
import { freePort, hasRedis, type RedisServer, startRedis } from '../support/redis-server.ts';
import { CERTIFICATE_FILE, KEY_FILE } from '../support/upstream.ts';

if (!hasRedis) console.log('skipped: needs redis-server');
setDefaultTimeout(30_000);

const at = (port: number, more: Partial<RedisOptions> = {}): RedisOptions => ({
  host: '127.0.0.1',
  port,
  username: null,
  password: null,
  database: 0,
  timeout: 5000,
  tls: null,
  ...more,
});
const opened: Redis[] = [];
const open = (options: RedisOptions) => {
  const redis = new Redis(options);
  opened.push(redis);
  return redis;
};
afterAll(() => {
  for (const redis of opened) redis.close();
});

describe.skipIf(!hasRedis)('a Redis server', () => {
  let server: RedisServer;
  let locked: RedisServer;
  let encrypted: RedisServer;
  const PASSWORD = 'p@ss:/%wörd';
  beforeAll(async () => {
    const tlsPort = freePort();
    server = await startRedis();
    locked = await startRedis({ args: ['--user', 'anna', 'on', `>${PASSWORD}`, '~*', '+@all'], password: 'default-word' });
    const tls = [
      '--tls-port',
      String(tlsPort),
      '--tls-cert-file',
      CERTIFICATE_FILE,
      '--tls-key-file',
      KEY_FILE,
      '--tls-auth-clients',
      'no',
    ];
    encrypted = { ...(await startRedis({ args: tls })), port: tlsPort };
  });
  afterAll(() => Promise.all([server, locked, encrypted].map(one => one.stop())));

  test('answers, and says what it refuses, on one connection', async () => {
    const redis = open(at(server.port));
    const id = await redis.send('CLIENT', ['ID']);
    expect(await redis.send('EVAL', ['return { 1, ARGV[1] }', '0', 'ü'])).toEqual([1, 'ü']);
    await expect(redis.send('EVAL', ['return nothing at all', '0'])).rejects.toThrow(
      `redis at 127.0.0.1:${server.port}: ERR Error compiling`,
    );
    expect(await redis.send('CLIENT', ['ID'])).toBe(id);
  });

  test.each([
    ['by a password', { password: 'default-word' }, 'default'],
    ['by a name and a password', { username: 'anna', password: PASSWORD }, 'anna'],
  ])('lets in %s', async (_, more, user) => {
    expect(await open(at(locked.port, more)).send('ACL', ['WHOAMI'])).toBe(user);
  });

  test.each([
    ['without a password', {}, 'NOAUTH'],
    ['with an empty one', { password: '' }, 'NOAUTH'],
    ['with a wrong one', { username: 'anna', password: 'not it' }, 'WRONGPASS'],
  ])('does not let in %s, and what was tried is not in the message', async (_, more, message) => {
    const failure = await open(at(locked.port, more))
      .send('PING', [])
      .catch((error: Error) => error.message);
    expect(failure).toContain(message);
    expect(failure).not.toContain('not it');
  });

  test('has several databases', async () => {
    expect(await open(at(server.port, { database: 3 })).send('CLIENT', ['INFO'])).toContain(' db=3 ');
    await expect(open(at(server.port, { database: 99 })).send('PING', [])).rejects.toThrow('DB index is out of range');
  });

  test.each([
    ['any certificate', { verify: false, serverName: null }, 'PONG'],
    ['no certificate of nobody', { verify: true, serverName: null }, 'self signed certificate'],
    ['any, whatever the name', { verify: false, serverName: 'other.test' }, 'PONG'],
  ])('over TLS is taken with %s', async (_, tls, result) => {
    const answer = open(at(encrypted.port, { tls }))
      .send('PING', [])
      .catch((error: Error) => error.message);
    expect(await answer).toContain(result);
  });

  test.each([
    ['among others', `NODE_EXTRA_CA_CERTS=${CERTIFICATE_FILE}`, ''],
    ['alone', 'UNUSED=', `trustOnly([await Bun.file('${CERTIFICATE_FILE}').text()]);`],
  ])('over TLS is taken with the certificate of a CA that is trusted %s, if the name is right', async (_, variable, trust) => {
    const script = `
      import { trustOnly } from '${import.meta.dir}/../../src/lib/outbound.ts';
      import { Redis } from '${import.meta.dir}/../../src/lib/redis.ts';
      ${trust}
      for (const serverName of [null, 'other.test']) {
        const redis = new Redis({ ...${JSON.stringify(at(encrypted.port))}, tls: { verify: true, serverName } });
        console.log(await redis.send('PING', []).catch(error => error.message));
        redis.close();
      }`;
    const child = Bun.spawn(['env', variable, process.execPath, '-e', script], { stdout: 'pipe', stderr: 'inherit' });
    const [right, wrong] = (await child.stdout.text()).split('\n');
    expect([right, wrong]).toEqual(['PONG', expect.stringContaining("does not match certificate's altnames")]);
  });

  test('that does not answer is given up in time, and asked on a new connection when it does again', async () => {
    const redis = open(at(server.port, { timeout: 300 }));
    const before = await redis.send('CLIENT', ['ID']);
    process.kill(server.pid, 'SIGSTOP');
    try {
      const failures = await Promise.all([1, 2].map(() => redis.send('PING', []).catch((error: Error) => error.message)));
      expect(failures.every(message => String(message).includes(`redis at 127.0.0.1:${server.port}: `))).toBe(true);
      await expect(redis.send('PING', [])).rejects.toThrow(/within 300 ms|after 300ms/);
    } finally {
      process.kill(server.pid, 'SIGCONT');
    }
    let after: unknown;
    while (after === undefined) after = await redis.send('CLIENT', ['ID']).catch(() => undefined);
    expect(after).not.toBe(before);
  });

  test('that goes and comes back is asked again', async () => {
    const first = await startRedis();
    const redis = open(at(first.port));
    expect(await redis.send('PING', [])).toBe('PONG');
    await first.stop();
    for (let count = 0; count < 3; count++) await expect(redis.send('PING', [])).rejects.toThrow(`redis at 127.0.0.1:${first.port}: `);
    await using _second = await startRedis({ port: first.port });
    expect(await redis.send('PING', [])).toBe('PONG');
  });

  test.each([
    ['a port nobody listens on', { host: '127.0.0.1' }],
    ['a name that is none', { host: 'redis.invalid' }],
    ['an address of version 6', { host: '::1' }],
  ])('is not at %s', async (_, more) => {
    await expect(open(at(freePort(), more)).send('PING', [])).rejects.toThrow(`redis at ${more.host}:`);
  });
});
