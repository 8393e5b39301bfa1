import { expect, test } from 'bun:test';
import { drain, type Stoppable } from '../../src/lib/drain.ts';
import { recordingLog } from '../support/recording-log.ts';

test('the end waits for the requests in flight of every server', async () => {
  const calls: string[] = [];
  const gate = Promise.withResolvers<void>();
  const server = (name: string): Stoppable => ({
    async stop(now) {
      calls.push(`${name} ${now === true}`);
      await gate.promise;
    },
  });
  const drained = drain([server('a'), server('b')], recordingLog().log).then(() => calls.push('drained'));
  expect(calls).toEqual(['a false', 'b false']);
  gate.resolve();
  await drained;
  expect(calls.at(-1)).toBe('drained');
});
