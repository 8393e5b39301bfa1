import { describe, expect, spyOn, test } from 'bun:test';
import { BatchQueue, type QueueLimits } from '../../src/lib/batch-queue.ts';
import { recordingLog } from '../support/recording-log.ts';

const LIMITS: QueueLimits = {
  max_batch_size: 1,
  max_coalescing_delay: 0,
  max_entries: 100,
  max_bytes: null,
  initial_retry_delay: 0.001,
  max_retry_delay: 0.001,
  max_retry_time: 60,
  concurrency_limit: 1,
};
/** Longer than any test: what waits for this was not meant to. */
const FOREVER = 3600;

/** A destination that takes batches only when the test lets it. */
function openQueue(limits: Partial<QueueLimits>) {
  const { log, said } = recordingLog();
  const batches: string[][] = [];
  const calls: { succeed: () => void; fail: (reason: string) => void }[] = [];
  let called = Promise.withResolvers<void>();
  const send = (entries: readonly string[]) => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    batches.push([...entries]);
    calls.push({ succeed: resolve, fail: reason => reject(new Error(reason)) });
    called.resolve();
    return promise;
  };
  const nextCall = async () => {
    while (calls.length === 0) {
      called = Promise.withResolvers();
      await called.promise;
    }
    const call = calls.shift();
    if (!call) throw new Error('unreachable');
    return call;
  };
  return { queue: new BatchQueue('test', { ...LIMITS, ...limits }, send, log), batches, nextCall, said };
}

describe('batches', () => {
  test('adding does not wait for the one on its way', async () => {
    const { queue, batches, nextCall } = openQueue({});
    queue.add('a');
    queue.add('b');
    expect(batches).toEqual([['a']]);
    (await nextCall()).succeed();
    (await nextCall()).succeed();
    await queue.close();
    expect(batches).toEqual([['a'], ['b']]);
  });

  test('a full batch goes before the coalescing delay is over, and no batch is larger', async () => {
    const { queue, batches, nextCall } = openQueue({ max_batch_size: 2, max_coalescing_delay: FOREVER });
    for (const entry of ['a', 'b', 'c', 'd', 'e']) queue.add(entry);
    (await nextCall()).succeed();
    (await nextCall()).succeed();
    expect(batches).toEqual([
      ['a', 'b'],
      ['c', 'd'],
    ]);
    const closed = queue.close();
    (await nextCall()).succeed();
    await closed;
    expect(batches[2]).toEqual(['e']);
  });

  test('a part of a batch goes when the coalescing delay is over', async () => {
    const { queue, batches, nextCall } = openQueue({ max_batch_size: 10, max_coalescing_delay: 0.001 });
    queue.add('a');
    queue.add('b');
    (await nextCall()).succeed();
    expect(batches).toEqual([['a', 'b']]);
    await queue.close();
  });

  test('a full queue goes as well, however large a batch may be', async () => {
    const { queue, batches, nextCall } = openQueue({ max_batch_size: 10, max_entries: 2, max_coalescing_delay: FOREVER });
    queue.add('a');
    queue.add('b');
    (await nextCall()).succeed();
    await queue.close();
    expect(batches).toEqual([['a', 'b']]);
  });

  test('with concurrency_limit -1 every entry goes at once and alone', async () => {
    const { queue, batches, nextCall } = openQueue({ max_batch_size: 10, max_coalescing_delay: FOREVER, concurrency_limit: -1 });
    queue.add('a');
    queue.add('b');
    expect(batches).toEqual([['a'], ['b']]);
    (await nextCall()).succeed();
    (await nextCall()).succeed();
    await queue.close();
  });
});

describe('failures', () => {
  test('a batch that failed is sent again, before those after it', async () => {
    const { queue, batches, nextCall, said } = openQueue({});
    queue.add('a');
    queue.add('b');
    (await nextCall()).fail('down');
    (await nextCall()).fail('down');
    (await nextCall()).succeed();
    (await nextCall()).succeed();
    await queue.close();
    expect(batches).toEqual([['a'], ['a'], ['a'], ['b']]);
    expect(said('warn')).toEqual(Array(2).fill('test: could not send, will try again'));
    expect(said('error')).toEqual([]);
  });

  test('a batch is given up after max_retry_time, and the log says how much was lost', async () => {
    const { queue, batches, nextCall, said } = openQueue({ max_batch_size: 2, max_retry_time: 0 });
    queue.add('a');
    (await nextCall()).fail('down');
    queue.add('b');
    queue.add('c');
    const next = await nextCall();
    next.succeed();
    await queue.close();
    expect(said('error')).toEqual(['test: giving up, 1 entries are lost']);
    expect(batches.flat()).toContain('b');
  });
});

describe('bounds', () => {
  test('past max_entries the oldest go, and the log says so once, then how many', async () => {
    const { queue, batches, nextCall, said } = openQueue({ max_entries: 5 });
    queue.add('on its way');
    for (let i = 0; i < 1000; i++) queue.add(`${i}`);
    for (let i = 0; i < 6; i++) (await nextCall()).succeed();
    await queue.close();
    expect(batches.flat()).toEqual(['on its way', '995', '996', '997', '998', '999']);
    expect(said('warn')).toEqual(['test: the queue is at 80% of its max_entries (5)']);
    expect(said('error')).toEqual(['test: the queue is full, dropping the oldest entries', 'test: caught up, 995 entries were dropped']);
  });

  test('past max_bytes, counted in UTF-8, the oldest go', async () => {
    const { queue, batches, nextCall } = openQueue({ max_bytes: 4 });
    queue.add('x');
    for (const entry of ['a', 'é', 'b', 'é']) queue.add(entry);
    for (let i = 0; i < 3; i++) (await nextCall()).succeed();
    await queue.close();
    expect(batches.flat()).toEqual(['x', 'b', 'é']);
  });

  test('an entry larger than max_bytes is lost, and leaves the others alone', async () => {
    const { queue, batches, nextCall, said } = openQueue({ max_bytes: 3 });
    queue.add('x');
    queue.add('abc');
    queue.add('abcd');
    for (let i = 0; i < 2; i++) (await nextCall()).succeed();
    await queue.close();
    expect(batches.flat()).toEqual(['x', 'abc']);
    expect(said('error')).toEqual(['test: an entry of 4 bytes is larger than max_bytes (3), it is lost']);
  });

  test('with concurrency_limit -1 at most max_entries are on their way', async () => {
    const { queue, batches, nextCall, said } = openQueue({ max_entries: 2, concurrency_limit: -1 });
    for (const entry of ['a', 'b', 'c', 'd']) queue.add(entry);
    expect(batches).toEqual([['a'], ['b']]);
    for (let i = 0; i < 2; i++) (await nextCall()).succeed();
    await queue.close();
    expect(said('error')).toEqual(['test: 2 entries are being sent already, dropping new ones', 'test: caught up, 2 entries were dropped']);
  });
});

describe('close', () => {
  test('an idle queue closes at once', async () => {
    await openQueue({}).queue.close();
  });

  test('cuts the pause before a retry short', async () => {
    const { queue, batches, nextCall } = openQueue({ initial_retry_delay: FOREVER, max_retry_delay: FOREVER });
    queue.add('a');
    (await nextCall()).fail('down');
    await Promise.resolve();
    const closed = queue.close();
    (await nextCall()).succeed();
    await closed;
    expect(batches).toEqual([['a'], ['a']]);
  });

  test('what comes after it is still sent: a request that began before may end later', async () => {
    const { queue, batches, nextCall } = openQueue({ max_batch_size: 10, max_coalescing_delay: FOREVER });
    await queue.close();
    queue.add('late');
    (await nextCall()).succeed();
    expect(batches).toEqual([['late']]);
  });

  test('what waits when its time is over and the destination still fails is lost together, in one line', async () => {
    const { queue, batches, nextCall, said } = openQueue({});
    for (const entry of ['a', 'b', 'c']) queue.add(entry);
    const closed = queue.close();
    const later = performance.now() + 6000;
    const clock = spyOn(performance, 'now').mockReturnValue(later);
    (await nextCall()).fail('down');
    await closed;
    clock.mockRestore();
    expect(batches).toEqual([['a']]);
    expect(said('error')).toEqual(['test: giving up, 3 entries are lost']);
  });
});
