import type { Report } from './messages.ts';

/** What this process tells of itself. */
export function reportOf(
  { counters }: { readonly counters: Pick<Report, 'requests' | 'active'> },
  { fault }: { readonly fault: string | null },
): Report {
  const { rss, heapUsed } = process.memoryUsage();
  return { pid: process.pid, ...counters, heapUsed, rss, fault };
}
