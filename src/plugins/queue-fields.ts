import type { QueueLimits } from '../lib/batch-queue.ts';
import { type Infer, integer, number, record } from '../schema/field.ts';

/** The fields of Kong's `queue` of plugins that send to servers. */
export const queueFields = (max_batch_size: number) => ({
  max_batch_size: integer({ default: max_batch_size, between: [1, 1_000_000] }),
  max_coalescing_delay: number({ default: 1, between: [0, 3600] }),
  max_entries: integer({ default: 10_000, between: [1, 1_000_000] }),
  max_bytes: integer(),
  max_retry_time: number({ default: 60 }),
  initial_retry_delay: number({ default: 0.01, between: [0.001, 1_000_000] }),
  max_retry_delay: number({ default: 60, between: [0.001, 1_000_000] }),
  concurrency_limit: integer({ default: 1, one_of: [-1, 1] }),
});

const queue = record(queueFields(1));

/** What a null stands for is its default. */
export function limitsOf(given: Infer<typeof queue>, max_batch_size: number): QueueLimits {
  return {
    max_batch_size: given?.max_batch_size ?? max_batch_size,
    max_coalescing_delay: given?.max_coalescing_delay ?? 1,
    max_entries: given?.max_entries ?? 10_000,
    max_bytes: given?.max_bytes ?? null,
    max_retry_time: given?.max_retry_time ?? 60,
    initial_retry_delay: given?.initial_retry_delay ?? 0.01,
    max_retry_delay: given?.max_retry_delay ?? 60,
    concurrency_limit: given?.concurrency_limit ?? 1,
  };
}
