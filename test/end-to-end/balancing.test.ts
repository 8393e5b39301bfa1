import { afterAll, expect, setDefaultTimeout, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pem } from '../support/certificates.ts';
import { newFolder, type RunningGateway, startGateway } from '../support/executable.ts';
import { startNameServer } from '../support/name-server.ts';
import { startUpstream } from '../support/upstream.ts';

setDefaultTimeout(60_000);

const [one, two] = [startUpstream(), startUpstream()];
afterAll(() => {
  one.stop();
  two.stop();
});
const environment = { SLUICE_WORKERS: '3' };
const nameOf = ({ port }: { readonly port: number }) => `127.0.0.1:${port}`;

async function configure(gateway: RunningGateway, upstream: object) {
  const made = [
    await gateway.request('POST', '/upstreams', { name: 'backend', ...upstream }),
    await gateway.request('POST', '/upstreams/backend/targets', { target: nameOf(one) }),
    await gateway.request('POST', '/upstreams/backend/targets', { target: nameOf(two) }),
    await gateway.request('POST', '/services', { name: 'api', host: 'backend' }),
    await gateway.request('POST', '/services/api/routes', { paths: ['/'] }),
  ];
  expect(made.map(({ status }) => status)).toEqual([201, 201, 201, 201, 201]);
}

/** On a connection of its own, so that any worker may get it. */
const ask = (gateway: RunningGateway) => fetch(gateway.proxy, { keepalive: false, headers: { connection: 'close' } });

async function becomes(gateway: RunningGateway, server: { readonly port: number }, word: string) {
  for (;;) {
    const { body } = await gateway.request('GET', '/upstreams/backend/health');
    const targets = (body as { data: { target: string; health: string }[] }).data;
    if (targets.find(({ target }) => target === nameOf(server))?.health === word) return;
    await Bun.sleep(5);
  }
}

const workersOf = async (gateway: RunningGateway) =>
  ((await gateway.request('GET', '/')).body as { pids: { workers: number[] } }).pids.workers;

test('failures that several workers see take a target out for all of them, and for those to come', async () => {
  one.answer({ status: 500 });
  two.answer({ body: 'two' });
  await using gateway = await startGateway({ environment });
  await configure(gateway, { healthchecks: { passive: { unhealthy: { http_failures: 6 } } } });
  // Each worker alone would see too few: twelve requests, six of them to this target, on three workers.
  const before = one.requests.length;
  while (one.requests.length < before + 6) await (await ask(gateway)).text();
  await becomes(gateway, one, 'UNHEALTHY');
  const onlyTwo = async () => {
    const texts: string[] = [];
    for (let sent = 0; sent < 30; sent++) texts.push(await (await ask(gateway)).text());
    return texts.every(text => text === 'two');
  };
  // The supervisor has told it; a worker may be about to hear.
  while (!(await onlyTwo())) await Bun.sleep(1);
  expect(await onlyTwo()).toBe(true);

  const pids = await workersOf(gateway);
  for (const pid of pids) process.kill(pid, 'SIGKILL');
  for (let now = await workersOf(gateway); now.length < 3 || now.some(pid => pids.includes(pid)); now = await workersOf(gateway)) {
    await Bun.sleep(10);
  }
  expect(await onlyTwo()).toBe(true);
  expect((await gateway.request('PUT', `/upstreams/backend/targets/${nameOf(one)}/healthy`)).status).toBe(204);
  one.answer({ body: 'one' });
  while ((await (await ask(gateway)).text()) !== 'one') await Bun.sleep(1);
});

test('one process checks, and all serve by what it finds', async () => {
  one.answer({ status: 503 });
  two.answer({ body: 'two' });
  await using gateway = await startGateway({ environment });
  const active = { healthy: { interval: 0.1, successes: 1 }, unhealthy: { interval: 0.1, http_failures: 1 }, http_path: '/check' };
  await configure(gateway, { healthchecks: { active } });
  await becomes(gateway, one, 'UNHEALTHY');
  const [since, before] = [performance.now(), two.requests.length];
  while (two.requests.length < before + 5) await Bun.sleep(10);
  // However slow the machine: never more than one process would ask.
  expect(two.requests.length - before).toBeLessThanOrEqual((performance.now() - since) / 100 + 1);
  one.answer({ body: 'one' });
  await becomes(gateway, one, 'HEALTHY');
  while ((await (await ask(gateway)).text()) !== 'one') await Bun.sleep(1);
});

test('names are looked up where the settings say, those of upstreams and of others, again when their time is over', async () => {
  const here = startUpstream({ hostname: '127.0.0.2' });
  const moved = startUpstream({ hostname: '127.0.0.3', port: here.port });
  here.answer({ body: 'here' });
  moved.answer({ body: 'moved' });
  const names = await startNameServer({ 'target.test': [['A', 1, '127.0.0.2']], 'host.test': [['CNAME', 1, 'target.test']] });
  await using gateway = await startGateway({ environment: { ...environment, SLUICE_DNS_RESOLVER: names.address } });
  const made = [
    await gateway.request('POST', '/upstreams', { name: 'backend' }),
    await gateway.request('POST', '/upstreams/backend/targets', { target: `target.test:${here.port}` }),
    await gateway.request('POST', '/services', { name: 'api', host: 'backend' }),
    await gateway.request('POST', '/services/api/routes', { paths: ['/balanced'] }),
    await gateway.request('POST', '/services', { name: 'other', host: 'host.test', port: here.port }),
    await gateway.request('POST', '/services/other/routes', { paths: ['/plain'] }),
  ];
  expect(made.map(({ status }) => status)).toEqual([201, 201, 201, 201, 201, 201]);
  const ask = async (path: string) => (await fetch(gateway.proxy + path, { keepalive: false, headers: { connection: 'close' } })).text();
  expect([await ask('/balanced'), await ask('/plain')]).toEqual(['here', 'here']);
  names.records = { 'target.test': [['A', 1, '127.0.0.3']], 'host.test': [['CNAME', 1, 'target.test']] };
  for (const path of ['/balanced', '/plain']) while ((await ask(path)) !== 'moved') await Bun.sleep(20);
  names.stop();
  here.stop();
  moved.stop();
});

test('without a database, a target that is out stays out when the configuration is loaded again', async () => {
  const configuration = (more: object) => ({
    _format_version: '3.0',
    upstreams: [
      {
        name: 'backend',
        healthchecks: { passive: { unhealthy: { http_failures: 1 } } },
        targets: [{ target: nameOf(one) }, { target: nameOf(two) }],
      },
    ],
    services: [{ name: 'api', host: 'backend', routes: [{ name: 'all', paths: ['/'] }] }],
    ...more,
  });
  two.answer({ body: 'two' });
  await using gateway = await startGateway({ environment: { ...environment, SLUICE_DATABASE: 'off' } });
  expect((await gateway.request('POST', '/config', configuration({}))).status).toBe(201);
  expect((await gateway.request('PUT', `/upstreams/backend/targets/${nameOf(one)}/unhealthy`)).status).toBe(204);
  expect((await gateway.request('POST', '/config', configuration({ consumers: [{ username: 'anna' }] }))).status).toBe(201);
  await becomes(gateway, one, 'UNHEALTHY');
  for (let sent = 0; sent < 12; sent++) expect(await (await ask(gateway)).text()).toBe('two');
});

test('certificates of targets are verified against the authorities of the settings, by checks and requests, for the name that is asked', async () => {
  const folder = newFolder();
  writeFileSync(join(folder, 'authority.pem'), pem('authority'));
  const secure = startUpstream({ tls: { cert: pem('server'), key: pem('server.key') } });
  secure.answer({ body: 'secure' });
  await using gateway = await startGateway({ folder, environment: { ...environment, SLUICE_TRUSTED_CERTIFICATES: 'authority.pem' } });
  const active = {
    type: 'https',
    healthy: { interval: 0.1, successes: 1 },
    unhealthy: { interval: 0.1, tcp_failures: 1 },
  };
  const target = `localhost:${secure.port}`;
  const made = [
    await gateway.request('POST', '/upstreams', { name: 'backend', healthchecks: { active } }),
    await gateway.request('POST', '/upstreams/backend/targets', { target }),
    await gateway.request('POST', '/services', { name: 'api', host: 'backend', protocol: 'https' }),
    await gateway.request('POST', '/services/api/routes', { paths: ['/'] }),
    await gateway.request('PUT', `/upstreams/backend/targets/${target}/unhealthy`),
  ];
  expect(made.map(({ status }) => status)).toEqual([201, 201, 201, 201, 204]);
  const word = async (wanted: string) => {
    const health = async () =>
      ((await gateway.request('GET', '/upstreams/backend/health')).body as { data: { health: string }[] }).data[0]?.health;
    while ((await health()) !== wanted) await Bun.sleep(5);
  };
  await word('HEALTHY');
  while ((await (await ask(gateway)).text()) !== 'secure') await Bun.sleep(1);
  await gateway.request('PATCH', '/upstreams/backend', { healthchecks: { active: { https_sni: 'other.example' } } });
  await word('UNHEALTHY');
  secure.stop();
});
