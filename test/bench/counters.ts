// Whether the counters that workers share lose anything, and what an addition takes: processes that do nothing else add at the same time.
// Environment: ADDITIONS (1000000), PROCESSES (4).
import { LIMIT, openCounting } from '../support/counting.ts';

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
process.exit(failed ? 1 : 0);
