import { describe, expect, setDefaultTimeout, test } from 'bun:test';
import { unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { newFolder, type RunningGateway, runExecutable, startGateway } from '../support/executable.ts';
import { startHashicorpVault } from '../support/hashicorp-vault.ts';
import { randomOf } from '../support/random.ts';
import { refused } from '../support/refused.ts';
import { startUpstream } from '../support/upstream.ts';

const WORKERS = 4;
/** Writes whose next request is looked at, and workers that are killed: more of both when the environment says so. */
const { TRIES = '2000', KILLS = '10' } = process.env;
const tries = Number(TRIES);
const kills = Number(KILLS);

setDefaultTimeout(Math.max(60_000, tries * 30, kills * 6000));
const environment = { SLUICE_WORKERS: String(WORKERS) };

/** Answers with the path it was asked for. */
const echo = () => Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: ({ url }) => new Response(new URL(url).pathname) });

const serviceAt = async (gateway: RunningGateway, url: string) => {
  expect((await gateway.request('POST', '/services', { name: 'upstream', url })).status).toBe(201);
  expect((await gateway.request('POST', '/services/upstream/routes', { name: 'all', paths: ['/'] })).status).toBe(201);
};

const workersOf = async (gateway: RunningGateway) =>
  ((await gateway.request('GET', '/')).body as { pids: { workers: number[] } }).pids.workers;

const statusOf = async (gateway: RunningGateway) =>
  (await gateway.request('GET', '/status')).body as { server: Record<string, number>; fault: string | null };

/** On a connection of its own, so that any worker may get it. */
const ask = (url: string, init: RequestInit = {}) =>
  fetch(url, { ...init, keepalive: false, headers: { ...init.headers, connection: 'close' } });

const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

async function untilGone(pids: readonly number[]): Promise<void> {
  while (pids.some(isAlive)) await Bun.sleep(5);
}

/** Requests without a pause, until told to stop. Resolves to how many there were. */
function load(connections: number, request: () => Promise<unknown>): { stop(): Promise<number> } {
  let isOver = false;
  let count = 0;
  const loops = Array.from({ length: connections }, async () => {
    while (!isOver) {
      await request();
      count++;
    }
  });
  return {
    async stop() {
      isOver = true;
      await Promise.all(loops);
      return count;
    },
  };
}

describe('requests', () => {
  test('are spread over the workers, and /status counts them all', async () => {
    const upstream = startUpstream();
    await using gateway = await startGateway({ environment });
    await serviceAt(gateway, upstream.url);
    expect((await workersOf(gateway)).length).toBe(WORKERS);
    // One after the other: a second connection is a second worker's.
    for (let count = 0; count < 100; count++) await (await ask(gateway.proxy)).text();
    expect(upstream.connections).toBe(WORKERS);
    expect((await statusOf(gateway)).server).toEqual({ total_requests: 100, connections_active: 0 });
    upstream.stop();
  });

  test('that are not answered yet are counted in every worker', async () => {
    const upstream = startUpstream();
    upstream.answer('silence');
    await using gateway = await startGateway({ environment });
    await serviceAt(gateway, upstream.url);
    const controller = new AbortController();
    const pending = Array.from({ length: 20 }, () => ask(gateway.proxy, { signal: controller.signal }).catch(() => null));
    await upstream.begun(20);
    expect((await statusOf(gateway)).server).toEqual({ total_requests: 20, connections_active: 20 });
    controller.abort();
    await Promise.all(pending);
    upstream.stop();
  });
});

describe('what is configured', () => {
  test('is there for the first request after the answer, under load, on any connection', async () => {
    using upstream = echo();
    await using gateway = await startGateway({ environment });
    await serviceAt(gateway, `http://127.0.0.1:${upstream.port}`);
    const busy = load(8, async () => expect((await fetch(`${gateway.proxy}/load`)).status).toBe(200));
    const wrong: string[] = [];
    for (let count = 0; count < tries; count++) {
      const path = `/${count}`;
      const { status } = await gateway.request('PATCH', '/services/upstream', { path });
      const seen = await (await (count % 2 === 0 ? ask : fetch)(gateway.proxy)).text();
      if (status !== 200 || !seen.startsWith(path)) wrong.push(`${status} ${path} ${seen}`);
    }
    expect(wrong).toEqual([]);
    expect(await busy.stop()).toBeGreaterThan(0);
  });

  test('elsewhere, on the same database, reaches every worker', async () => {
    using upstream = echo();
    const folder = newFolder();
    await using gateway = await startGateway({ folder, environment });
    await using other = await startGateway({ folder, environment: { SLUICE_WORKERS: '1' } });
    await serviceAt(other, `http://127.0.0.1:${upstream.port}`);
    // One worker may have it before another does: all have it when so many in a row find it.
    for (let inARow = 0; inARow < 50; ) inARow = (await ask(gateway.proxy)).status === 200 ? inARow + 1 : 0;
  });

  test('in a file is loaded by every worker again, on SIGHUP', async () => {
    using upstream = echo();
    const folder = newFolder();
    const file = (path: string) => `
_format_version: "3.0"
services:
- {name: upstream, url: "http://127.0.0.1:${upstream.port}/${path}", routes: [{name: all, paths: [/]}]}
`;
    writeFileSync(join(folder, 'gateway.yaml'), file('old'));
    await using gateway = await startGateway({
      folder,
      environment: { ...environment, SLUICE_DATABASE: 'off', SLUICE_DECLARATIVE_CONFIG: 'gateway.yaml' },
    });
    const seen = async () => new Set(await Promise.all(Array.from({ length: 50 }, async () => (await ask(gateway.proxy)).text())));
    expect([...(await seen())]).toEqual(['/old']);
    writeFileSync(join(folder, 'gateway.yaml'), file('new'));
    gateway.signal('SIGHUP');
    await gateway.logged(({ message }) => message === 'configuration loaded again');
    expect([...(await seen())]).toEqual(['/new']);
  });

  test('with a secret that a worker cannot read is a fault, and no request passes there', async () => {
    const credentials = newFolder();
    writeFileSync(join(credentials, 'openai'), 'Bearer sk-s3cret');
    const upstream = startUpstream();
    upstream.answer({ body: '{"choices":[]}', headers: { 'content-type': 'application/json' } });
    await using gateway = await startGateway({ environment: { ...environment, CREDENTIALS_DIRECTORY: credentials } });
    await serviceAt(gateway, upstream.url);
    const config = {
      route_type: 'llm/v1/chat',
      auth: { header_name: 'Authorization', header_value: '{vault://file/openai}' },
      model: { provider: 'openai', name: 'gpt', options: { upstream_url: upstream.url } },
    };
    expect((await gateway.request('POST', '/routes/all/plugins', { name: 'ai-proxy', config })).status).toBe(201);
    const chat = async () => {
      const body = JSON.stringify({ messages: [{ role: 'user', content: 'hello' }] });
      return (await ask(gateway.proxy, { method: 'POST', body, headers: { 'content-type': 'application/json' } })).status;
    };
    const statuses = async () => [...new Set(await Promise.all(Array.from({ length: 50 }, chat)))].sort();
    expect(await statuses()).toEqual([200]);
    expect((await statusOf(gateway)).fault).toBeNull();

    unlinkSync(join(credentials, 'openai'));
    const [first = 0] = await workersOf(gateway);
    process.kill(first, 'SIGKILL');
    while ((await workersOf(gateway)).includes(first) || (await workersOf(gateway)).length < WORKERS);
    expect((await statusOf(gateway)).fault).toMatch(
      /^in a worker: plugin ai-proxy .*: the reference \{vault:\/\/file\/openai\} cannot be resolved/,
    );
    expect(await statuses()).toEqual([200, 500]);
    upstream.stop();
  });
});

describe('a worker', () => {
  test('that is killed again and again takes only its own requests along, and who takes its place has what is configured', async () => {
    using upstream = echo();
    await using gateway = await startGateway({ environment });
    await serviceAt(gateway, `http://127.0.0.1:${upstream.port}`);
    const { below } = randomOf(1);
    let newest = 0;
    const wrong: string[] = [];
    const resets = new Set<string>();
    const busy = load(8, async () => {
      const least = newest;
      for (;;) {
        try {
          const text = await (await ask(gateway.proxy)).text();
          if (Number(text.slice(1)) < least) wrong.push(`${text} after ${least}`);
          return;
        } catch (error) {
          resets.add((error as Error & { code: string }).code);
        }
      }
    });
    for (let kill = 0; kill < kills; kill++) {
      const before = await workersOf(gateway);
      const victim = before[below(before.length)] ?? 0;
      process.kill(victim, 'SIGKILL');
      newest += await gateway
        .request('PATCH', '/services/upstream', { path: `/${newest + 1}` })
        .then(({ status }) => (status === 200 ? 1 : 0));
      expect(newest).toBe(kill + 1);
      while ((await workersOf(gateway)).includes(victim) || (await workersOf(gateway)).length < WORKERS) await Bun.sleep(5);
    }
    expect(await busy.stop()).toBeGreaterThan(kills);
    expect(wrong).toEqual([]);
    expect([...resets].filter(code => code !== 'ECONNRESET')).toEqual([]);
    expect(gateway.log.filter(({ message }) => message === 'a worker ended: another takes its place').length).toBe(kills);
  });

  test('that does not move any more is replaced, and holds up no write for good', async () => {
    using upstream = echo();
    await using gateway = await startGateway({ environment });
    await serviceAt(gateway, `http://127.0.0.1:${upstream.port}/old`);
    const [first = 0] = await workersOf(gateway);
    process.kill(first, 'SIGSTOP');
    expect((await gateway.request('PATCH', '/services/upstream', { path: '/new' })).status).toBe(200);
    expect(await gateway.logged(({ message }) => message.startsWith('a worker did not take a change'))).toMatchObject({ pid: first });
    for (let count = 0; count < 50; count++) expect(await (await ask(gateway.proxy)).text()).toBe('/new');
  });

  test('is nothing to start by hand, and no help names it', async () => {
    expect(await runExecutable(['worker'])).toEqual({
      exitCode: 1,
      stdout: '',
      stderr: 'sluice: only the gateway itself starts workers\n',
    });
    expect((await runExecutable(['--help'])).stdout).not.toContain('sluice worker ');
  });

  test('does not end by a signal that is for the gateway', async () => {
    await using gateway = await startGateway({ environment });
    const before = await workersOf(gateway);
    for (const pid of before) for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.kill(pid, signal);
    for (let count = 0; count < 50; count++) expect((await ask(gateway.proxy)).status).toBe(404);
    expect(await workersOf(gateway)).toEqual(before);
  });
});

describe('readiness', () => {
  test('comes when every worker serves, goes when none does, and comes back', async () => {
    const vault = startHashicorpVault();
    vault.first.set('key', { value: 'Bearer x' });
    using upstream = echo();
    const folder = newFolder();
    const status_listen = `127.0.0.1:${await freePort()}`;
    const ready = async () => {
      const response = await fetch(`http://${status_listen}/status/ready`).catch(() => null);
      return response === null ? 'nobody listens' : ((await response.json()) as { message: string }).message;
    };
    const reaches = async (message: string) => {
      for (let said = await ready(); said !== message; said = await ready()) expect(said).not.toBe('ready');
    };
    {
      await using gateway = await startGateway({ folder, environment });
      await serviceAt(gateway, `http://127.0.0.1:${upstream.port}`);
      const config = { ...vault.config, token: 'root' };
      expect((await gateway.request('POST', '/vaults', { name: 'hcv', prefix: 'slow', config })).status).toBe(201);
      const secret = { http_endpoint: '{vault://slow/key/value}' };
      await gateway.request('POST', '/routes/all/plugins', { name: 'http-log', config: secret });
      await gateway.stop();
    }
    // Whoever asks first, which is who keeps the workers, hears at once; they wait.
    let asked = 0;
    let gate = Promise.withResolvers<void>();
    vault.state.instead = async () => {
      if (++asked > 1) await gate.promise;
      return Response.json({ data: { value: 'http://127.0.0.1:9/' } });
    };
    const starting = startGateway({ folder, environment: { ...environment, SLUICE_STATUS_LISTEN: status_listen } });
    await reaches('the workers are starting');
    gate.resolve();
    await using gateway = await starting;
    expect(await ready()).toBe('ready');

    gate = Promise.withResolvers();
    for (const pid of await workersOf(gateway)) process.kill(pid, 'SIGKILL');
    while ((await ready()) !== 'no worker serves');
    gate.resolve();
    while ((await ready()) !== 'ready');
    expect((await ask(gateway.proxy)).status).toBe(200);
    vault.stop();
  });

  test.each([
    ['alone', '1'],
    ['with workers', '2'],
  ])('never comes where another gateway, %s, has the port', async (_, workers) => {
    await using gateway = await startGateway({ environment: { SLUICE_WORKERS: workers } });
    const { host } = new URL(gateway.proxy);
    const args = ['--proxy-listen', host, '--admin-listen', 'off', '--status-listen', 'off', '--database', 'off', '--workers', '2'];
    expect(await runExecutable(['start', ...args])).toMatchObject({
      exitCode: 1,
      stderr: `sluice: proxy_listen: cannot listen on ${host}: another program listens there\n`,
    });
  });
});

describe('the end', () => {
  test('SIGTERM: streams of every worker end whole, nobody else is let in, exit code 0', async () => {
    const streams = 20;
    const upstream = startUpstream();
    upstream.answer({ framing: 'chunked', chunks: ['one ', 'two ', 'three'], gated: true });
    const gateway = await startGateway({ environment });
    await serviceAt(gateway, upstream.url);
    const workers = await workersOf(gateway);
    const pending = Array.from({ length: streams }, async () => (await ask(gateway.proxy)).text());
    await upstream.begun(streams);
    await upstream.release(streams);
    const exited = gateway.stop('SIGTERM');
    await refused(gateway.proxy);
    await upstream.release(2 * streams);
    expect([...new Set(await Promise.all(pending))]).toEqual(['one two three']);
    expect(await exited).toBe(0);
    expect(workers.filter(isAlive)).toEqual([]);
    upstream.stop();
  });

  test('kill -9 of who keeps the workers: they end, and the ports are free', async () => {
    const folder = newFolder();
    const gateway = await startGateway({ folder, environment });
    const workers = await workersOf(gateway);
    expect(workers.length).toBe(WORKERS);
    await gateway.stop('SIGKILL');
    await untilGone(workers);
    const { host } = new URL(gateway.proxy);
    await using next = await startGateway({ folder, environment: { ...environment, SLUICE_PROXY_LISTEN: host } });
    expect(next.proxy).toBe(gateway.proxy);
  });
});

describe('what is logged', () => {
  const LINES = 400;
  /** Longer than what a pipe takes whole. */
  const LONG = 'x'.repeat(20_000);

  const requests = async (gateway: RunningGateway) => {
    await Promise.all(Array.from({ length: LINES }, async (_, index) => ask(`${gateway.proxy}/${index}`, { headers: { 'x-long': LONG } })));
  };
  const uris = (entries: readonly object[]) => entries.map(entry => (entry as { request: { uri: string } }).request.uri);
  const all = Array.from({ length: LINES }, (_, index) => `/${index}`).sort();

  test('by several workers into one file comes in whole lines', async () => {
    using upstream = echo();
    const gateway = await startGateway({ environment });
    await serviceAt(gateway, `http://127.0.0.1:${upstream.port}`);
    await gateway.request('POST', '/plugins', { name: 'file-log', config: { path: 'access.log' } });
    await requests(gateway);
    expect(await gateway.stop()).toBe(0);
    const lines = (await Bun.file(join(gateway.folder, 'access.log')).text()).trimEnd().split('\n');
    expect(uris(lines.map(line => JSON.parse(line))).sort()).toEqual(all);
  });

  test('by several workers on standard output comes in whole lines, among those of the gateway', async () => {
    using upstream = echo();
    const gateway = await startGateway({ environment });
    await serviceAt(gateway, `http://127.0.0.1:${upstream.port}`);
    await gateway.request('POST', '/plugins', { name: 'file-log', config: { path: '/dev/stdout' } });
    await requests(gateway);
    expect(await gateway.stop()).toBe(0);
    await gateway.closed;
    expect(uris(gateway.log.filter(entry => 'request' in entry)).sort()).toEqual(all);
  });

  test('is as much as was asked for, in workers as well, and in those that come later', async () => {
    using upstream = echo();
    await using gateway = await startGateway({ environment });
    await serviceAt(gateway, `http://127.0.0.1:${upstream.port}`);
    const unwritable = { name: 'file-log', config: { path: '/nowhere/access.log' } };
    await gateway.request('PUT', '/debug/node/log-level/crit');
    await gateway.request('POST', '/plugins', unwritable);
    const [first = 0] = await workersOf(gateway);
    process.kill(first, 'SIGKILL');
    while ((await workersOf(gateway)).includes(first) || (await workersOf(gateway)).length < WORKERS);
    expect(gateway.log.filter(({ level }) => level === 'error')).toEqual([]);
  });
});

async function freePort(): Promise<number> {
  const server = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: () => new Response() });
  const { port = 0 } = server;
  await server.stop(true);
  return port;
}
