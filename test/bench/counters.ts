// Whether the counters that workers share lose anything, and what an addition takes: first processes that do nothing else add at the
// same time, then the executable's workers count the requests of many connections. Environment: ADDITIONS (1000000), PROCESSES (4).
import { LIMIT, openCounting } from '../support/counting.ts';
import { type RunningGateway, startGateway } from '../support/executable.ts';

const { ADDITIONS = '1000000', PROCESSES = '4' } = process.env;
const processes = Number(PROCESSES);
// Of every two additions one goes to a counter of the process's own.
const times = Math.ceil(Number(ADDITIONS) / processes);
if (!Number.isInteger(processes) || processes < 1 || !(times > 0)) {
  console.error('ADDITIONS and PROCESSES must be whole numbers');
  process.exit(2);
}

const endsAt = Date.now() + 3600_000;
const names = Array.from({ length: processes }, (_, index) => `process ${index}`);
let failed = false;

/** All do the same at the same time. Resolves to the sum of what each has counted for itself. */
async function all(counting: ReturnType<typeof openCounting>, work: Parameters<typeof counting.start>[0]): Promise<number> {
  const children = names.map(name => counting.start(work, name, times));
  const codes = await Promise.all(children.map(({ exited }) => exited));
  if (codes.some(code => code !== 0)) failed = true;
  return names.reduce((sum, name) => sum + counting.counters.get(name, endsAt), 0);
}

function print(what: string, found: number, wanted: number): void {
  failed ||= found !== wanted;
  console.log(`${what.padEnd(70)} ${found} of ${wanted}${found === wanted ? '' : '  WRONG'}`);
}

{
  using counting = openCounting(endsAt);
  const startedAt = performance.now();
  await all(counting, 'add');
  const seconds = (performance.now() - startedAt) / 1000;
  const found = Array.from({ length: 50 }, (_, number) => counting.counters.get(`shared ${number}`, endsAt));
  print(
    `${processes} processes add to 50 counters, found`,
    found.reduce((sum, count) => sum + count, 0),
    processes * times,
  );
  console.log(`additions a second, all processes, their start included: ${Math.round((2 * processes * times) / seconds)}`);
}
{
  using counting = openCounting(endsAt);
  print(`${processes} processes reserve 1 of ${LIMIT}, ${processes * times} times, granted`, await all(counting, 'take'), LIMIT);
}
{
  using counting = openCounting(endsAt);
  const settled = await all(counting, 'reserve');
  print(`${processes} processes reserve and settle, none over the limit, settled`, counting.counters.get('reserved', endsAt), settled);
}

const CONNECTIONS = 64;
/** Of which each adds to a counter; none of them ends soon. */
const PERIODS = ['day', 'month', 'year'];
const ENOUGH = 1e12;

const upstream = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: () => new Response('ok') });

async function limit(gateway: RunningGateway, path: string, config: object): Promise<void> {
  const name = path.slice(1);
  await gateway.request('POST', '/services', { name, url: `http://127.0.0.1:${upstream.port}` });
  await gateway.request('POST', `/services/${name}/routes`, { name, paths: [path] });
  const { status } = await gateway.request('POST', `/routes/${name}/plugins`, { name: 'rate-limiting', config });
  if (status !== 201) throw new Error(`POST plugins: ${status}`);
}

/** How many of so many requests pass. */
async function hammer(url: string, requests: number): Promise<number> {
  let left = requests;
  let passed = 0;
  const connection = async () => {
    while (left-- > 0) {
      const response = await fetch(url);
      await response.text();
      if (response.status === 200) passed++;
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, connection));
  return passed;
}

{
  await using gateway = await startGateway({ environment: { SLUICE_WORKERS: PROCESSES } });
  await limit(gateway, '/counted', Object.fromEntries(PERIODS.map(period => [period, ENOUGH])));
  const requests = Math.ceil(Number(ADDITIONS) / PERIODS.length);
  const startedAt = performance.now();
  const passed = await hammer(`${gateway.proxy}/counted`, requests);
  const seconds = (performance.now() - startedAt) / 1000;
  const { headers } = await fetch(`${gateway.proxy}/counted`);
  const counted = PERIODS.reduce((sum, period) => sum + ENOUGH - 1 - Number(headers.get(`x-ratelimit-remaining-${period}`)), 0);
  print(`${processes} workers, ${CONNECTIONS} connections: additions found`, counted, passed * PERIODS.length);
  console.log(`requests a second: ${Math.round(requests / seconds)}`);

  await limit(gateway, '/limited', { minute: LIMIT });
  // A minute that has just begun lasts long enough.
  await Bun.sleep(60_000 - (Date.now() % 60_000));
  print(
    `${processes} workers, ${CONNECTIONS} connections, ${LIMIT} a minute, passed`,
    await hammer(`${gateway.proxy}/limited`, 3 * LIMIT),
    LIMIT,
  );
}
process.exit(failed ? 1 : 0);
