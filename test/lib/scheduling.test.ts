import { expect, test } from 'bun:test';
import { readdirSync, readFileSync } from 'node:fs';
import { startGateway } from '../support/executable.ts';

const SCHED_BATCH = 3;

/** Of each thread, what proc(5) calls its policy. */
const policiesOf = (pid: number): number[] =>
  readdirSync(`/proc/${pid}/task`).map(thread =>
    Number(readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[38]),
  );

test('a gateway and its workers work in batches, with all their threads', async () => {
  await using gateway = await startGateway({ environment: { SLUICE_WORKERS: '2' } });
  const { pids } = (await gateway.request('GET', '/')).body as { pids: { workers: number[] } };
  expect(pids.workers.length).toBe(2);
  for (const pid of [gateway.pid, ...pids.workers]) expect(new Set(policiesOf(pid))).toEqual(new Set([SCHED_BATCH]));
});

const chrt = Bun.which('chrt');
if (!chrt) console.log('skipped: needs chrt');

test.skipIf(!chrt)('unless it was started with a policy', async () => {
  const SCHED_IDLE = 5;
  await using gateway = await startGateway({ environment: { SLUICE_WORKERS: '1' }, under: command => ['chrt', '--idle', '0', ...command] });
  expect(new Set(policiesOf(gateway.pid))).toEqual(new Set([SCHED_IDLE]));
});
