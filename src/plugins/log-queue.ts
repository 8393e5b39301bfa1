import type { QueueLimits, Send } from '../lib/batch-queue.ts';
import type { Log } from '../lib/log.ts';

/** Of log plugins whose configuration has no queue: what comes while a write is under way waits, and is tried again for a minute. */
export const LOG_QUEUE: QueueLimits = {
  max_batch_size: 1000,
  max_coalescing_delay: 0,
  max_entries: 10_000,
  max_bytes: 32 * 1024 * 1024,
  initial_retry_delay: 0.1,
  max_retry_delay: 10,
  max_retry_time: 60,
  concurrency_limit: 1,
};

/** Of those that send each entry by itself, as one datagram. */
export const DATAGRAM_QUEUE: QueueLimits = { ...LOG_QUEUE, max_batch_size: 1 };

/** How such a queue sends: an entry that no datagram can hold is lost, and not tried again. */
export function sendDatagrams(name: string, log: Log, send: (entry: string) => void | Promise<void>): Send {
  return async ([entry = '']) => {
    try {
      await send(entry);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EMSGSIZE') throw error;
      log.error(`${name}: an entry of ${Buffer.byteLength(entry)} bytes is larger than a datagram may be, it is lost`);
    }
  };
}
