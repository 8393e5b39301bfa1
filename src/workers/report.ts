import type { Metrics } from '../lib/metrics.ts';
import type { Report } from './messages.ts';

/** What this process tells of itself. */
export function reportOf(
  { counters }: { readonly counters: Pick<Report, 'requests' | 'active'> },
  { fault, metrics }: { readonly fault: string | null; readonly metrics: Metrics },
  withMetrics: boolean,
): Report {
  const { rss, heapUsed } = process.memoryUsage();
  return { pid: process.pid, ...counters, heapUsed, rss, fault, metrics: withMetrics ? metrics.read() : null };
}
