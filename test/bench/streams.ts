// What many streams at once cost one worker: first streams that are silent, as while a model thinks, then streams that all speak at a
// vendor's pace, beside nginx and beside no gateway. Environment: STREAMS (10000), SPEAKING (2000), EXECUTABLE (dist/sluice).
import { answers, type Gateway, requestTo, sluiceGateways } from './gateways.ts';
import { PEERS } from './peers.ts';
import { cpuMicroseconds, mostDescriptors, openDescriptors, residentMegabytes } from './process-figures.ts';
import { DIRECT } from './report.ts';
import { fail, type LoadFigures, openRig } from './rig.ts';
import { chat, streamed } from './scenarios.ts';

const { STREAMS = '10000', SPEAKING = '2000' } = process.env;
/** How long the streams are silent, and for how much of that the CPU is watched. */
const SILENCE_SECONDS = 20;
const WATCHED_SECONDS = 5;
const TOKENS_PER_SECOND = 50;
const SPEAKING_SECONDS = 10;
/** Descriptors that a gateway needs besides two for each stream. */
const OTHER_DESCRIPTORS = 60;

const rig = await openRig();
const own = (await sluiceGateways(rig)).filter(({ name }) => ['sluice', 'sluice, anthropic'].includes(name));
const [sluice] = own as [Gateway];
const { nginx } = PEERS;
const missing = nginx.missing();
if (missing) console.log(`skipped: nginx needs ${missing}`);
const others: Gateway[] = [{ name: DIRECT, ...rig.upstream, path: '/v1/chat/completions' }];
if (!missing) others.push({ name: 'nginx', ...(await nginx.start(rig)) });
for (const { port, path } of [...others, ...own]) {
  await answers(`http://127.0.0.1:${port}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: chat(850)('gpt-4'),
  });
}
console.log(`${rig.machine}; without a gateway, tokens wait for these two alone`);

await idleStreams();
for (const gateway of [...others, ...own]) await speakingStreams(gateway);
await rig.close();
process.exit(0);

async function idleStreams(): Promise<void> {
  const { pid, port } = sluice;
  const most = Math.floor((Math.min(mostDescriptors(pid), mostDescriptors(process.pid)) - OTHER_DESCRIPTORS) / 2);
  const streams = Math.min(Number(STREAMS), most);
  if (streams < Number(STREAMS))
    console.log(`a process may open ${mostDescriptors(pid)} files here, which is enough for ${streams} streams`);
  const [empty, descriptors] = [residentMegabytes(pid), openDescriptors(pid)];
  const request = requestTo(sluice, chat(850, { stream: true }, `bench: events=1 gap=${SILENCE_SECONDS * 1e6}`)('gpt-4'));
  const begin = performance.now();
  const finished = rig.load({ port, request, connections: streams, seconds: 1, rate: 0, patience: 3 * SILENCE_SECONDS });
  while (openDescriptors(pid) < descriptors + 2 * streams - OTHER_DESCRIPTORS) {
    await Bun.sleep(100);
    if (performance.now() - begin > SILENCE_SECONDS * 1000) fail(`after ${SILENCE_SECONDS} s the streams were not all open`);
  }
  console.log(`${streams} streams are open after ${((performance.now() - begin) / 1000).toFixed(1)} s, and silent`);
  const before = cpuMicroseconds(pid);
  await Bun.sleep(WATCHED_SECONDS * 1000);
  const cpu = (cpuMicroseconds(pid) - before) / WATCHED_SECONDS / 1e4;
  const open = residentMegabytes(pid);
  console.log(`  RSS ${open.toFixed(0)} MB, ${empty.toFixed(0)} MB before: ${(((open - empty) * 1024) / streams).toFixed(1)} kB a stream`);
  console.log(`  CPU ${cpu.toFixed(1)} % of a core`);
  const whole = verdict(await finished, streams, 1);
  console.log(
    `  ${whole}; RSS then ${residentMegabytes(pid).toFixed(0)} MB, descriptors ${openDescriptors(pid)} with the connections that it keeps, ${descriptors} before`,
  );
}

async function speakingStreams(gateway: Gateway): Promise<void> {
  const { name, pid, port, path, streamPath = path } = gateway;
  const streams = Number(SPEAKING);
  const events = SPEAKING_SECONDS * TOKENS_PER_SECOND;
  const request = requestTo(gateway, streamed(events, 1e6 / TOKENS_PER_SECOND)('gpt-4'), streamPath);
  const before = cpuMicroseconds(pid);
  const figures = await rig.load({ port, request, connections: streams, seconds: 1, rate: 0, patience: 3 * SPEAKING_SECONDS });
  const { token, seconds } = figures;
  const [p50, p99, p999] = [token.p50, token.p99, token.p999].map(microseconds => (microseconds / 1000).toFixed(2));
  const cpu = cpuMicroseconds(pid) - before;
  console.log(
    `${name}: ${streams} streams at ${TOKENS_PER_SECOND} tokens/s: a token takes ${p50} / ${p99} / ${p999} ms (p50 / p99 / p99.9)`,
  );
  console.log(
    `  ${verdict(figures, streams, events)}; CPU ${(cpu / seconds / 1e4).toFixed(0)} % of a core, ${(cpu / figures.events).toFixed(1)} µs a token`,
  );
  console.log(`  RSS ${residentMegabytes(pid).toFixed(0)} MB`);
}

/** Each stream is its events and what ends it, in OpenAI's dialect `[DONE]`; a translated one says its finish reason too. */
function verdict({ requests, errors, events }: LoadFigures, streams: number, each: number): string {
  const whole = requests === streams && errors === 0 && events >= streams * (each + 1);
  if (!whole) process.exitCode = 1;
  return whole ? `all ${streams} finished whole` : `NOT WHOLE: ${requests} of ${streams} finished, ${errors} errors, ${events} events`;
}
