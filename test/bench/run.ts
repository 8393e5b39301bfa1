// What sluice costs beside nginx: both in front of the same scripted upstream, under the same load, measured in turns; then what each
// vendor's API costs that is translated.
// Environment: ROUNDS (3), DURATION of a measurement in seconds (3), WARM_UP in seconds (3), SCENARIOS ("1k stream"; also 32k 1m latency),
// EXECUTABLE (dist/sluice). CPU per request is the figure to trust: requests a second move with whatever else the machine does.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { cpus, release, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { answers, type Gateway, type Site, startNginx, startSluice } from './gateways.ts';
import { cpuMicroseconds, residentMegabytes } from './process-figures.ts';
import { SCENARIOS, type Scenario } from './scenarios.ts';
import { writeAnswers } from './vendors.ts';

const UPSTREAM_EVENTS = '30';
const UPSTREAM_GAP_MICROSECONDS = '10000';

const { PATH = '', ROUNDS = '3', DURATION = '3', WARM_UP = '3', EXECUTABLE = 'dist/sluice', SCENARIOS: names = '1k stream' } = process.env;
const chosen = names.split(/[\s,]+/).filter(Boolean);
const executable = resolve(EXECUTABLE);

interface Figures {
  readonly requests: number;
  readonly errors: number;
  readonly seconds: number;
  readonly events: number;
  readonly p50: number;
  readonly p99: number;
  readonly first_byte_p50: number;
  readonly first_byte_p99: number;
  readonly cpu: number;
  readonly memory: number;
}

const which = (program: string) => Bun.which(program, { PATH: `${PATH}:/usr/sbin:/sbin` });
const gcc = which('gcc');
const nginx = which('nginx');
const cores = allowedCores();
const taskset = cores.length > 1 ? which('taskset') : null;

const unknown = chosen.find(name => !(name in SCENARIOS));
if (unknown) fail(`no scenario is called ${unknown}; there are: ${Object.keys(SCENARIOS).join(' ')}`);
if (!gcc) skip("gcc, to compile the upstream and the load (Debian's package gcc and libc6-dev)");
if (!nginx) skip("nginx, to compare with (Debian's package nginx-light)");
if (!existsSync(executable)) fail(`${EXECUTABLE} is missing: make build`);

const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
const started: Bun.Subprocess[] = [];
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130));
process.on('exit', () => {
  for (const child of started) child.kill();
  rmSync(folder, { recursive: true, force: true });
});
function skip(what: string): never {
  console.log(`skipped: needs ${what}`);
  process.exit(0);
}

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}

/** The cores this process may use: `0-2,5` is 0, 1, 2 and 5. */
function allowedCores(): number[] {
  const list = readFileSync('/proc/self/status', 'utf8').match(/^Cpus_allowed_list:\s+(.+)/m)?.[1] ?? '0';
  return list.split(',').flatMap(range => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}

/** Keeps what is measured and what measures on cores of their own, where there are two. */
const onCore = (index: 0 | 1, command: readonly string[]) => (taskset ? [taskset, '-c', String(cores[index]), ...command] : [...command]);

function spawn(command: readonly string[], environment: Readonly<Record<string, string>> = {}, stdout: 'ignore' | 'pipe' = 'ignore') {
  const child = Bun.spawn(command as string[], { env: { PATH, ...environment }, stdout, stderr: 'inherit' });
  started.push(child);
  return child;
}

async function compareGateways() {
  for (const program of ['upstream', 'load']) {
    const compiled = Bun.spawnSync([gcc ?? '', '-O2', '-o', join(folder, program), join(import.meta.dir, `${program}.c`)]);
    if (!compiled.success) fail(compiled.stderr.toString());
  }
  await writeAnswers(folder);
  const site: Site = {
    folder,
    upstreamPort: await startUpstream(),
    spawn: (command, environment) => spawn(onCore(0, command), environment),
  };
  const gateways = [await startNginx(site, nginx ?? ''), ...(await startSluice(site, executable))];
  for (const [name, scenario] of Object.entries(SCENARIOS)) await Bun.write(join(folder, name), scenario.body());

  printMachine();
  for (const gateway of gateways) {
    const request = { method: 'POST', headers: { 'content-type': 'application/json' }, body: Bun.file(join(folder, '1k')) };
    await answers(`http://127.0.0.1:${gateway.port}${gateway.path}`, request);
    for (const name of chosen) await measure(gateway, name, WARM_UP);
  }
  const measured = new Map<string, Figures[]>();
  for (let round = 0; round < Number(ROUNDS); round++) {
    for (const name of chosen) {
      for (const gateway of gateways) {
        const key = `${name} ${gateway.name}`;
        measured.set(key, [...(measured.get(key) ?? []), await measure(gateway, name, DURATION)]);
      }
    }
  }
  printTable(measured, gateways);
}

async function startUpstream(): Promise<number> {
  const child = spawn(onCore(1, [join(folder, 'upstream'), UPSTREAM_EVENTS, UPSTREAM_GAP_MICROSECONDS, folder]), {}, 'pipe');
  const { value } = await (child.stdout as ReadableStream<Uint8Array>).getReader().read();
  return Number(new TextDecoder().decode(value));
}

async function measure(gateway: Gateway, name: string, seconds: string): Promise<Figures> {
  const { connections, rate } = SCENARIOS[name] as Scenario;
  const path = name === 'stream' ? (gateway.streamPath ?? gateway.path) : gateway.path;
  const load = [join(folder, 'load'), gateway.port, path, join(folder, name), connections, seconds, rate];
  const before = cpuMicroseconds(gateway.pid);
  const child = spawn(onCore(1, load.map(String)), {}, 'pipe');
  const figures = (await new Response(child.stdout as ReadableStream).json()) as Omit<Figures, 'cpu' | 'memory'>;
  return { ...figures, cpu: cpuMicroseconds(gateway.pid) - before, memory: residentMegabytes(gateway.pid) };
}

function printMachine() {
  const version = (command: string[]) => {
    const { stdout, stderr } = Bun.spawnSync(command);
    return (stdout.toString() || stderr.toString()).trim().split('\n')[0];
  };
  const places = taskset ? 'gateways on one core, upstream and load on another' : 'everything on the same cores';
  console.log(`${version([executable, 'version'])} beside ${version([nginx ?? '', '-v'])}`);
  console.log(`${cpus()[0]?.model.trim()}, ${cores.length} cores, Linux ${release()}; ${places}`);
  console.log(`load average ${readFileSync('/proc/loadavg', 'utf8').split(' ', 1)[0]}; medians of ${ROUNDS} rounds of ${DURATION} s\n`);
}

const COLUMNS: readonly (readonly [string, (figures: Figures) => number, number])[] = [
  ['requests/s', ({ requests, seconds }) => requests / seconds, 0],
  ['CPU µs/request', ({ cpu, requests }) => cpu / requests, 1],
  ['CPU µs/event', ({ cpu, events }) => (events > 0 ? cpu / events : Number.NaN), 1],
  ['p50 ms', ({ p50 }) => p50 / 1000, 2],
  ['p99 ms', ({ p99 }) => p99 / 1000, 2],
  ['first byte p50', ({ first_byte_p50 }) => first_byte_p50 / 1000, 2],
  ['first byte p99', ({ first_byte_p99 }) => first_byte_p99 / 1000, 2],
  ['RSS MB', ({ memory }) => memory, 0],
  ['errors', ({ errors }) => errors, 0],
];

function printTable(measured: ReadonlyMap<string, Figures[]>, gateways: readonly Gateway[]) {
  for (const name of chosen) {
    const { about, connections } = SCENARIOS[name] as Scenario;
    console.log(`${name}: ${about}, ${connections} connections`);
    const rows = gateways.map(gateway => COLUMNS.map(([, figure]) => median((measured.get(`${name} ${gateway.name}`) ?? []).map(figure))));
    const [plain = [], sluice = [], ...translating] = rows.map(row => row.map((value, column) => shown(value, COLUMNS[column]?.[2] ?? 0)));
    const ratios = COLUMNS.map((_, column) => shown((rows[1]?.[column] ?? 0) / (rows[0]?.[column] ?? 0), 2));
    const lines = [
      ['', ...COLUMNS.map(([title]) => title)],
      [gateways[0]?.name ?? '', ...plain],
      [gateways[1]?.name ?? '', ...sluice],
      ['ratio', ...ratios],
      ...translating.map((cells, index) => [gateways[index + 2]?.name ?? '', ...cells]),
    ];
    for (const [title = '', ...cells] of lines) console.log(`  ${title.padEnd(10)}${cells.map(cell => cell.padStart(16)).join('')}`);
    console.log();
  }
}

const shown = (value: number, digits: number) => (Number.isFinite(value) ? value.toFixed(digits) : '-');

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

await compareGateways();
process.exit(0);
