// What sluice costs beside other gateways: all in front of the same scripted upstream, under the same load, measured in turns.
// Environment: ROUNDS (3), DURATION of a measurement in seconds (2), WARM_UP in seconds (3; a third of it for all scenarios but the first),
// SCENARIOS ("1k stream …", all unless told),
// GATEWAYS ("nginx sluice sluice-gemini portkey-bun …": their names as words with dashes, all unless told), EXECUTABLE (dist/sluice), README=yes to write the outcome into README.md.
// CPU per request is the figure to trust: requests a second and latencies move with whatever else the machine does.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { answers, freePort, type Gateway, requestTo, sluiceGateways } from './gateways.ts';
import { installNpmPeers, PEERS } from './peers.ts';
import { cpuMicroseconds, residentMegabytes } from './process-figures.ts';
import { DIRECT, type Figures, Report } from './report.ts';
import { executable, fail, median, openRig, type Rig, version } from './rig.ts';
import { SCENARIOS, type Scenario } from './scenarios.ts';

const { ROUNDS = '3', DURATION = '2', WARM_UP = '3', SCENARIOS: scenarioNames, GATEWAYS: gatewayNames, README } = process.env;
const STARTS = 5;
const chosen = scenarioNames?.split(/[\s,]+/).filter(Boolean) ?? Object.keys(SCENARIOS);
const wanted = gatewayNames?.split(/[\s,]+/).filter(Boolean);
/** A name as GATEWAYS has it: those of the tables have commas and blanks. */
const wordFor = (name: string) => name.toLowerCase().replaceAll(/\W+/g, '-');
const isWanted = (name: string) => wanted?.includes(wordFor(name)) ?? true;

const unknown = chosen.find(name => !(name in SCENARIOS));
if (unknown) fail(`no scenario is called ${unknown}; there are: ${Object.keys(SCENARIOS).join(' ')}`);

const rig = await openRig();
const versions: string[] = [version(executable, 'version')];
const gateways = await startGateways();
const nameless = wanted?.find(word => !gateways.some(({ name }) => wordFor(name) === word));
if (nameless) console.log(`left out: ${nameless}; there are: ${gateways.map(({ name }) => wordFor(name)).join(' ')}`);
console.log(`${versions.join('; ')}\n${rig.machine}\n`);

const measured: Record<string, Record<string, Figures[]>> = {};
for (const [index, name] of chosen.entries()) {
  measured[name] = await measureInTurns(name, SCENARIOS[name] as Scenario, Number(WARM_UP) / (index === 0 ? 1 : 3));
}
const report = new Report(measured);
const started = await startTimes(rig);
const outcome = [
  `Medians of ${ROUNDS} interleaved rounds of ${DURATION} s: ${versions.join('; ')}. ${rig.machine}.`,
  report.markdown(),
  `From the start of the executable with an empty database to its first answer: ${median(started).toFixed(0)} ms.`,
].join('\n\n');
console.log(outcome);
if (README) await writeReadme();
await rig.close();
process.exit(0);

async function startGateways(): Promise<Gateway[]> {
  const { port, pid } = rig.upstream;
  const started: Gateway[] = [{ name: DIRECT, pid, port, path: '/v1/chat/completions' }];
  const peers = Object.entries(PEERS).filter(([name]) => isWanted(name));
  if (peers.some(([, peer]) => peer.missing(rig)?.endsWith('of npm'))) await installNpmPeers(rig);
  for (const [name, peer] of peers) {
    const missing = peer.missing(rig);
    if (missing) {
      console.log(`skipped: ${name} needs ${missing}`);
      continue;
    }
    versions.push(`${name} ${peer.version(rig)}`);
    started.push({ name, ...(await peer.start(rig)) });
  }
  started.push(...(await sluiceGateways(rig)).filter(({ name }) => isWanted(name)));
  for (const { name, port, path, headers = {}, model = 'gpt-4' } of started) {
    const request = {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: SCENARIOS['1k']?.body(model) ?? '',
    };
    await answers(`http://127.0.0.1:${port}${path}`, request).catch((error: Error) => fail(`${name}: ${error.message}`));
  }
  return started;
}

/** Warms every gateway up, then measures each once a round. */
async function measureInTurns(name: string, scenario: Scenario, warmUp: number): Promise<Record<string, Figures[]>> {
  const taking = gateways.filter(gateway => !gateway.refuses?.includes(name));
  const figures: Record<string, Figures[]> = Object.fromEntries(taking.map(({ name }) => [name, []]));
  for (const gateway of taking) await measure(gateway, scenario, warmUp);
  for (let round = 1; round <= Number(ROUNDS); round++) {
    for (const gateway of taking) {
      const measured = await measure(gateway, scenario, Number(DURATION) * (scenario.longer ?? 1));
      figures[gateway.name]?.push(measured);
      const { requests, errors, seconds, cpu } = measured;
      const errorsSeen = errors > 0 ? `, ${errors} ERRORS` : '';
      const line = `${(requests / seconds).toFixed(0)} requests/s, ${(cpu / requests).toFixed(1)} µs each${errorsSeen}`;
      console.error(`${scenario.about}, round ${round}, ${gateway.name}: ${line}`);
    }
  }
  return figures;
}

async function measure(gateway: Gateway, { body, connections, rate, stream }: Scenario, seconds: number): Promise<Figures> {
  const path = stream ? (gateway.streamPath ?? gateway.path) : gateway.path;
  const request = requestTo(gateway, body(gateway.model ?? 'gpt-4'), path);
  const before = cpuMicroseconds(gateway.pid);
  const figures = await rig.load({ port: gateway.port, request, connections, seconds, rate });
  return { ...figures, cpu: cpuMicroseconds(gateway.pid) - before, memory: residentMegabytes(gateway.pid) };
}

/** Milliseconds from exec to the first answer of the proxy port. */
async function startTimes({ folder, spawn }: Rig): Promise<number[]> {
  const times: number[] = [];
  for (let start = 0; start < STARTS; start++) {
    const port = freePort();
    const environment = {
      SLUICE_PROXY_LISTEN: `127.0.0.1:${port}`,
      SLUICE_ADMIN_LISTEN: '127.0.0.1:0',
      SLUICE_STATUS_LISTEN: 'off',
      SLUICE_DATABASE: `sqlite://${folder}/start-${start}.db`,
      SLUICE_WORKERS: '1',
    };
    const begin = performance.now();
    const child = spawn([executable, 'start'], environment);
    while (!(await answered(port))) await Bun.sleep(1);
    times.push(performance.now() - begin);
    child.kill();
    await child.exited;
  }
  return times;
}

function answered(port: number): Promise<boolean> {
  return fetch(`http://127.0.0.1:${port}/`).then(
    () => true,
    () => false,
  );
}

async function writeReadme(): Promise<void> {
  const root = join(import.meta.dir, '..', '..');
  const file = join(root, 'README.md');
  const [start, end] = ['<!-- bench -->\n', '<!-- /bench -->'];
  const text = readFileSync(file, 'utf8');
  const section = new RegExp(`${start}[\\s\\S]*?${end}`);
  const chart = 'test/bench/results/comparison.svg';
  await Bun.write(join(root, chart), report.chart());
  await Bun.write(
    file,
    text.replace(section, () => `${start}![CPU and latency of gateways](${chart})\n\n${outcome}\n${end}`),
  );
}
