import { describe, expect, setDefaultTimeout, test } from 'bun:test';
import { python, startUnreachable } from '../support/unreachable.ts';
import { startUpstream } from '../support/upstream.ts';
import { startBalanced } from './gateway.ts';
import { at, nameOf, oneAndTwo } from './targets.ts';

setDefaultTimeout(30_000);

const [one, two] = oneAndTwo();
const gone = startUpstream();
gone.stop();

const LARGE = 'x'.repeat(1_000_000);

describe.skipIf(!python)('a machine that is off', () => {
  const service = { connect_timeout: 600, read_timeout: 20_000, write_timeout: 20_000 };

  test.each(['GET', 'POST'])('is given up when it cannot be reached in time: a %s goes to the next', async method => {
    using off = await startUnreachable();
    await using gateway = await startBalanced({ targets: [at(off), at(two)], service });
    for (const response of await gateway.send(2, '/', { method, ...(method === 'POST' && { body: 'x' }) }))
      expect(await response.text()).toBe('two');
    expect(gateway.lines.find(({ level }) => level === 'error')?.facts).toMatchObject({ code: 'CONNECT_TIMEOUT', status: 504 });
  });

  test('is timed out where there is no next', async () => {
    using off = await startUnreachable();
    const upstream = { healthchecks: { passive: { unhealthy: { timeouts: 1 } } } };
    await using gateway = await startBalanced({ targets: [at(off)], upstream, service: { ...service, retries: 0 } });
    expect((await fetch(gateway.url)).status).toBe(504);
    expect(await gateway.health()).toEqual({ [nameOf(off)]: 'UNHEALTHY' });
  });
});

test('a large body goes to the next where nobody listens', async () => {
  await using gateway = await startBalanced({ targets: [at(gone), at(two)] });
  const before = two.requests.length;
  for (const response of await gateway.send(4, '/', { method: 'POST', body: LARGE })) expect(response.status).toBe(200);
  expect(two.requests.slice(before).map(({ bodyLength }) => bodyLength)).toEqual([LARGE, LARGE, LARGE, LARGE].map(({ length }) => length));
});

test('a server that is killed while it works is replaced by the next, for what may be asked twice', async () => {
  const child = Bun.spawn(
    [process.execPath, '-e', "console.log(Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Promise(() => {}) }).port)"],
    {
      stdout: 'pipe',
    },
  );
  const { value } = await child.stdout.getReader().read();
  const victim = { port: Number(Buffer.from(value ?? []).toString()) };
  await using gateway = await startBalanced({ targets: [at(victim), at(two)], upstream: { algorithm: 'least-connections' } });
  const inFlight = () => gateway.gateway.balancers.find('backend', 80)?.peers.find(({ port }) => port === victim.port)?.inFlight ?? 0;
  const asked: Promise<Response>[] = [];
  while (inFlight() < 3) {
    asked.push(fetch(gateway.url));
    await Bun.sleep(1);
  }
  const post = fetch(gateway.url, { method: 'POST', body: 'x' });
  const posted = post.then(({ status }) => status);
  child.kill('SIGKILL');
  for (const response of await Promise.all(asked)) expect(await response.text()).toBe('two');
  expect([200, 502]).toContain(await posted);
});

test('an answer that breaks off is not asked for again', async () => {
  for (const server of [one, two]) server.answer({ chunks: ['begun'], ending: 'reset' });
  await using gateway = await startBalanced({ targets: [at(one), at(two)] });
  const before = one.requests.length + two.requests.length;
  // On a connection of its own: on others Bun would ask once more.
  const whole = fetch(gateway.url, { keepalive: false, headers: { connection: 'close' } }).then(response => response.text());
  await expect(whole).rejects.toThrow();
  expect(one.requests.length + two.requests.length - before).toBe(1);
});

test('a connection that the server closed meanwhile is no failure of the server', async () => {
  const upstream = { healthchecks: { passive: { unhealthy: { tcp_failures: 1 } } } };
  await using gateway = await startBalanced({ targets: [at(one)], upstream });
  await gateway.send(1, '/', { method: 'POST', body: 'x' });
  // As a server does that lets a connection rest for a while, and closes it as the next request is on its way.
  one.answer('reset', { body: 'again' });
  const [again] = await gateway.send(1, '/', { method: 'POST', body: 'x' });
  expect(await again?.text()).toBe('again');
  expect(await gateway.health()).toEqual({ [nameOf(one)]: 'HEALTHY' });
});
