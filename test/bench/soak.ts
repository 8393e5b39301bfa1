// Mixed load on sluice for MINUTES (10): chats, streams, clients that leave, upstreams that fail, and a change of the configuration every
// second. No request may fail that the upstream did not fail; memory and descriptors are printed. Ends with 1 when one failed.
// Environment: MINUTES, WORKERS (1), EXECUTABLE (dist/sluice).
import { addRoute, aiProxy, type Gateway, openai, requestTo, startSluice, withPlugins } from './gateways.ts';
import { openDescriptors, residentMegabytes } from './process-figures.ts';
import { fail, openRig } from './rig.ts';
import { chat, streamed } from './scenarios.ts';

const { MINUTES = '10', WORKERS = '1' } = process.env;
const seconds = Number(MINUTES) * 60;
if (!(seconds > 0)) fail('MINUTES must be a number above 0');
/** Until the keep-alive connections of the load are gone. */
const REST_SECONDS = 5;

const rig = await openRig();
const sluice = await startSluice(rig, WORKERS);
const { pid, port, admin } = sluice;
const { auth, model } = openai(rig);
const [changed = ''] = await addRoute(sluice, 'openai', [aiProxy(auth, model)]);
await addRoute(sluice, 'plugins', withPlugins(rig));
const at = (path: string): Gateway => ({ name: path, pid, port, path: `/${path}` });

const counts = new Map<string, number>();
const failures: string[] = [];
const count = (what: string) => counts.set(what, (counts.get(what) ?? 0) + 1);
function expect(what: string, good: boolean, seen: string): void {
  count(what);
  if (!good) failures.push(`${what}: ${seen}`);
}

await ask('openai', chat(850)('gpt-4'));
await Bun.sleep(REST_SECONDS * 1000);
const descriptorsBefore = openDescriptors(pid);
const end = performance.now() + seconds * 1000;
const memory: (readonly [minute: number, megabytes: number])[] = [];

const [plain, streams] = await Promise.all([
  rig.load({ port, request: requestTo(at('openai'), chat(850)('gpt-4')), connections: 64, seconds, rate: 200, patience: 20 }),
  rig.load({ port, request: requestTo(at('plugins'), streamed(30, 20_000)('gpt-4')), connections: 32, seconds, rate: 0, patience: 20 }),
  repeat(50, leave),
  repeat(100, failUpstream),
  repeat(1000, changeConfiguration),
  repeat(1000, async () => void memory.push([(performance.now() - end) / 60_000 + Number(MINUTES), residentMegabytes(pid)])),
]);
await Bun.sleep(REST_SECONDS * 1000);

for (const [what, { requests, errors }] of Object.entries({ chats: plain, streams })) {
  counts.set(what, requests);
  if (errors > 0) failures.push(`${what}: ${errors} failed`);
}
const settled = memory.slice(Math.floor(memory.length / 4));
const figure = (of: readonly [number, number] | undefined) => `${of?.[1].toFixed(0)} MB`;
console.log(`${MINUTES} minutes, ${WORKERS} worker(s), ${rig.machine}`);
console.log([...counts].map(([what, times]) => `${times} ${what}`).join(', '));
console.log(`RSS ${figure(memory[0])} at the start, ${figure(settled[0])} after a quarter, ${figure(memory.at(-1))} at the end;`);
console.log(`  slope of the last three quarters ${slope(settled).toFixed(2)} MB a minute`);
console.log(`descriptors ${descriptorsBefore} before, ${openDescriptors(pid)} after`);
console.log(failures.length === 0 ? 'no request failed that the upstream did not fail' : `${failures.length} FAILURES`);
for (const failure of failures.slice(0, 20)) console.log(`  ${failure}`);
await rig.close();
process.exit(failures.length === 0 ? 0 : 1);

/** Again and again until the end, so many milliseconds apart; what takes longer delays the next. */
async function repeat(milliseconds: number, work: () => Promise<void>): Promise<void> {
  for (let next = performance.now(); next < end; ) {
    await work();
    next = Math.max(next + milliseconds, performance.now());
    await Bun.sleep(next - performance.now());
  }
}

function ask(path: string, body: string, signal?: AbortSignal): Promise<Response> {
  const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body };
  return fetch(`http://127.0.0.1:${port}/${path}`, signal ? { ...init, signal } : init);
}

/** A client that goes away, before the answer or within it. */
async function leave(): Promise<void> {
  const client = new AbortController();
  setTimeout(() => client.abort(), Math.random() * 300);
  try {
    const response = await ask('plugins', streamed(30, 20_000)('gpt-4'), client.signal);
    await response.text();
    expect('clients that left', false, `${response.status}, and it was whole`);
  } catch {
    expect('clients that left', client.signal.aborted, 'the connection broke before the client left');
  }
}

/** What becomes of the upstream's failures: the status it says, 502 when it says none, and never a stream that looks whole. */
async function failUpstream(): Promise<void> {
  for (const status of [500, 429]) {
    const response = await ask('openai', chat(100, {}, `bench: status=${status}`)('gpt-4'));
    const text = await response.text();
    expect('upstream errors', response.status === status && text.includes('"error"'), `${response.status} ${text}`);
  }
  const silent = await ask('openai', chat(100, {}, 'bench: reset=0')('gpt-4'));
  expect('upstreams that hung up', silent.status === 502, `${silent.status} ${await silent.text()}`);
  // The cut may come with the head of the answer, and be a 502, or reach the client before the head did.
  const cut = await ask('openai', chat(100, { stream: true }, 'bench: gap=1000 reset=5')('gpt-4')).catch(() => null);
  const text = (await cut?.text().catch(() => '')) ?? '';
  const isHonest = cut === null || cut.status === 502 || (cut.status === 200 && !text.includes('[DONE]'));
  expect('streams cut by the upstream', isHonest, `${cut?.status} ${text}`);
}

/** A change under running requests, and a route that serves as soon as it is there and no longer. */
async function changeConfiguration(): Promise<void> {
  const config = { model: { options: { max_tokens: 100 + ((counts.get('changes of the configuration') ?? 0) % 100) } } };
  try {
    await admin('PATCH', `/plugins/${changed}`, { config });
    await addRoute(sluice, 'brief', [aiProxy(auth, model)]);
    const there = (await ask('brief', chat(100)('gpt-4'))).status;
    await admin('DELETE', '/routes/brief');
    const gone = (await ask('brief', chat(100)('gpt-4'))).status;
    expect('changes of the configuration', there === 200 && gone === 404, `${there} while it was there, ${gone} then`);
  } catch (error) {
    expect('changes of the configuration', false, String(error));
  }
}

/** Of the line that fits best. */
function slope(points: readonly (readonly [number, number])[]): number {
  const mean = (at: 0 | 1) => points.reduce((sum, point) => sum + point[at], 0) / points.length;
  const [x, y] = [mean(0), mean(1)];
  const over = points.reduce((sum, point) => sum + (point[0] - x) * (point[1] - y), 0);
  return over / points.reduce((sum, point) => sum + (point[0] - x) ** 2, 0);
}
