import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

const LIMIT_FILE = '/sys/fs/cgroup/cpu.max';

/** How many processes can run at the same time: a container may have less of the machine than it sees. */
export function usableCores(cores = availableParallelism(), limit = readLimit()): number {
  const [quota, period] = limit.split(' ').map(Number);
  return quota && period ? Math.max(1, Math.min(cores, Math.ceil(quota / period))) : cores;
}

/** `max 100000`, or so many microseconds of so many: https://docs.kernel.org/admin-guide/cgroup-v2.html#cpu-interface-files */
function readLimit(): string {
  try {
    return readFileSync(LIMIT_FILE, 'utf8');
  } catch {
    return ''; // Another platform, or a cgroup that has no limit.
  }
}
