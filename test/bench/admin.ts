// What a large configuration costs: services with a route and an ai-proxy each, made one by one through the Admin API of the
// executable, on a SQLite file; then read, changed, restarted on, exported, imported and reloaded. Ends by itself in a few minutes.
// Environment: SERVICES (10000).
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { newFolder, type RunningGateway, runExecutable, startGateway } from '../support/executable.ts';
import { residentMegabytes } from './process-figures.ts';

const { SERVICES: wanted = '10000' } = process.env;
const SERVICES = Number(wanted);
/** How many writes at the beginning and at the end are compared. */
const SAMPLE = Math.min(1000, Math.floor(SERVICES / 2));
const CHANGES = Math.min(100, SERVICES);
const KINDS = ['service', 'route', 'plugin'] as const;

if (!Number.isInteger(SERVICES) || SERVICES < 10) {
  console.error('SERVICES must be a whole number, 10 at least');
  process.exit(2);
}

const model = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  fetch: () => Response.json({ object: 'chat.completion', choices: [{ message: { role: 'assistant', content: 'hello' } }] }),
});
const folders: string[] = [];
const temporaryFolder = () => {
  const folder = newFolder();
  folders.push(folder);
  return folder;
};
process.on('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130));

const name = (number: number) => `service-${number}`;
const path = (number: number) => `/path-${number}`;
const plugin = {
  name: 'ai-proxy',
  config: {
    route_type: 'llm/v1/chat',
    auth: { header_name: 'Authorization', header_value: 'Bearer x' },
    model: { provider: 'openai', name: 'gpt-4', options: { upstream_url: `${model.url}v1/chat/completions` } },
  },
};
const rows = (number: number): Readonly<Record<(typeof KINDS)[number], readonly [path: string, body: object]>> => ({
  service: ['/services', { name: name(number), url: 'http://127.0.0.1:9', tags: ['bench', `team-${number % 50}`] }],
  route: [`/services/${name(number)}/routes`, { name: name(number), paths: [path(number)] }],
  plugin: [`/routes/${name(number)}/plugins`, plugin],
});

/** What `work` resolves to, and how long that took. */
async function timed<T>(work: () => Promise<T>): Promise<[milliseconds: number, result: T]> {
  const startedAt = performance.now();
  const result = await work();
  return [performance.now() - startedAt, result];
}

async function admin(gateway: RunningGateway, method: string, where: string, body?: object): Promise<unknown> {
  const answer = await gateway.request(method, where, body);
  if (answer.status >= 300) throw new Error(`${method} ${where}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body;
}

async function chat(gateway: RunningGateway, number: number): Promise<void> {
  const response = await fetch(gateway.proxy + path(number), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"messages":[{"role":"user","content":"hi"}]}',
  });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${path(number)}: ${response.status} ${text}`);
}

async function create(gateway: RunningGateway): Promise<void> {
  const times = { service: [] as number[], route: [] as number[], plugin: [] as number[] };
  const [whole] = await timed(async () => {
    for (let number = 1; number <= SERVICES; number++) {
      const entries = rows(number);
      for (const kind of KINDS) {
        const [where, body] = entries[kind];
        const [milliseconds] = await timed(() => admin(gateway, 'POST', where, body));
        times[kind].push(milliseconds);
      }
    }
  });
  for (const kind of KINDS) {
    const first = median(times[kind].slice(0, SAMPLE));
    const last = median(times[kind].slice(-SAMPLE));
    print(`POST ${kind}, median of the first ${SAMPLE}`, `${first.toFixed(2)} ms`);
    print(`POST ${kind}, median of the last ${SAMPLE}`, `${last.toFixed(2)} ms`);
    print(`POST ${kind}, last over first`, (last / first).toFixed(2), last / first <= 1.5, '1.5');
  }
  print(`all ${3 * SERVICES} POSTs`, seconds(whole));
}

/** Everything of one kind, page by page. */
async function readAll(gateway: RunningGateway, kind: string): Promise<number> {
  let count = 0;
  for (let next: string | null = `/${kind}s?size=1000`; next !== null; ) {
    const page = (await admin(gateway, 'GET', next)) as { data: unknown[]; next: string | null };
    count += page.data.length;
    next = page.next === null ? null : `${page.next}${page.next.includes('size=') ? '' : '&size=1000'}`;
  }
  return count;
}

async function change(what: string, one: (number: number) => Promise<unknown>): Promise<void> {
  const middle = Math.floor((SERVICES - CHANGES) / 2);
  const times: number[] = [];
  for (let number = middle + 1; number <= middle + CHANGES; number++) times.push((await timed(() => one(number)))[0]);
  print(`${what} in the middle, median of ${CHANGES}`, `${median(times).toFixed(2)} ms`);
}

async function firstRequest(gateway: RunningGateway, when: string): Promise<void> {
  const [milliseconds] = await timed(() => chat(gateway, SERVICES));
  print(`first request to the last route, ${when}`, `${milliseconds.toFixed(1)} ms`);
}

/** The longest that any of the requests, sent one after the other while `work` goes on, had to wait. */
async function longestWait(gateway: RunningGateway, work: () => Promise<unknown>): Promise<number> {
  let going = true;
  const done = work().finally(() => {
    going = false;
  });
  let longest = 0;
  while (going) longest = Math.max(longest, (await timed(() => chat(gateway, 1)))[0]);
  await done;
  return longest;
}

async function onDatabase(): Promise<string> {
  const folder = temporaryFolder();
  const gateway = await startGateway({ folder });
  print('memory when empty', megabytes(gateway));
  await create(gateway);
  await firstRequest(gateway, 'created just now');
  print('memory then', megabytes(gateway), residentMegabytes(gateway.pid) < 500, '500 MB');
  for (const kind of KINDS) {
    const [milliseconds, count] = await timed(() => readAll(gateway, kind));
    if (count !== SERVICES) throw new Error(`${count} ${kind}s were listed`);
    print(`GET all ${kind}s, by pages of 1000`, seconds(milliseconds));
  }
  await change('PATCH service', number => admin(gateway, 'PATCH', `/services/${name(number)}`, { retries: 3 }));
  await change('PATCH route', number => admin(gateway, 'PATCH', `/routes/${name(number)}`, { strip_path: false }));
  await change('DELETE route with plugin', number => admin(gateway, 'DELETE', `/routes/${name(number)}`));
  await change('POST route again', number => admin(gateway, 'POST', ...rows(number).route));
  await change('POST plugin again', number => admin(gateway, 'POST', ...rows(number).plugin));
  await gateway.stop();
  print('database file', `${(statSync(join(folder, 'sluice.db')).size / 1e6).toFixed(1)} MB`);

  const [ready, again] = await timed(() => startGateway({ folder }));
  print('restart until ready', seconds(ready), ready <= 3000, '3 s');
  await firstRequest(again, 'after a restart');
  print('memory after a restart', megabytes(again), residentMegabytes(again.pid) < 500, '500 MB');
  await again.stop();
  return folder;
}

async function asFile(from: string): Promise<void> {
  const [exporting, exported] = await timed(() => runExecutable(['export', 'all.yaml'], { folder: from }));
  if (exported.exitCode !== 0) throw new Error(exported.stderr);
  print('sluice export', seconds(exporting));
  const file = join(from, 'all.yaml');
  print('declarative file', `${(statSync(file).size / 1e6).toFixed(1)} MB`);
  const to = temporaryFolder();
  for (const where of ['a new database', 'the same again']) {
    const [importing, imported] = await timed(() => runExecutable(['import', file], { folder: to }));
    if (imported.exitCode !== 0) throw new Error(imported.stderr);
    print(`sluice import into ${where}`, seconds(importing));
  }

  const environment = { SLUICE_DATABASE: 'off', SLUICE_DECLARATIVE_CONFIG: file };
  const [ready, gateway] = await timed(() => startGateway({ folder: to, environment }));
  print('start on the file until ready', seconds(ready));
  await firstRequest(gateway, 'started on the file');
  print('memory then', megabytes(gateway));
  const reload = (text: string) => async () => {
    writeFileSync(file, text);
    const before = gateway.log.length;
    gateway.signal('SIGHUP');
    const entry = await gateway.logged(entry => gateway.log.indexOf(entry) >= before && entry.message.startsWith('configuration loaded'));
    if (entry.level !== 'notice') throw new Error(JSON.stringify(entry));
  };
  const text = readFileSync(file, 'utf8');
  for (const [what, next] of [
    ['the same file', text],
    ['one service changed', text.replace(`name: ${name(2)}\n`, 'name: renamed\n')],
    ['every service changed', text.replaceAll('retries: 5', 'retries: 4')],
  ] as const) {
    const [took, longest] = await timed(() => longestWait(gateway, reload(next)));
    print(`reload, ${what}`, `${seconds(took)}, requests wait ${seconds(longest)} at most`);
  }
  print('memory after the reloads', megabytes(gateway));
  await gateway.stop();
}

function print(what: string, figure: string, good?: boolean, aim?: string): void {
  const verdict = good === undefined ? '' : `   aim ${aim}${good ? '' : '   MISSED'}`;
  console.log(`  ${what.padEnd(56)}${figure.padStart(10)}${verdict}`);
}

const seconds = (milliseconds: number) => `${(milliseconds / 1000).toFixed(2)} s`;
const megabytes = ({ pid }: RunningGateway) => `${residentMegabytes(pid).toFixed(0)} MB`;

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

console.log(`${SERVICES} services, each with a route and a plugin; ${cpus()[0]?.model.trim()}, ${cpus().length} cores`);
await asFile(await onDatabase());
await model.stop();
process.exit(0);
