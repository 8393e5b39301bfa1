import { readdirSync, readFileSync } from 'node:fs';

const CLOCK_TICKS_PER_SECOND = 100;

/** A process and its descendants, from /proc. */
function tree(pid: number): number[] {
  const children = read(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(Number);
  return [pid, ...children.flatMap(tree)];
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** User and system time that the kernel has charged to a process and its descendants, in microseconds. */
export function cpuMicroseconds(pid: number): number {
  const ticks = tree(pid).map(member => {
    const [user = 0, system = 0] = read(`/proc/${member}/stat`).split(') ').at(-1)?.split(' ').slice(11, 13).map(Number) ?? [];
    return user + system;
  });
  return (ticks.reduce((sum, each) => sum + each, 0) * 1e6) / CLOCK_TICKS_PER_SECOND;
}

/**
 * Of a process and its descendants. Among them a page that several have in memory counts once; one of a file that other processes have too,
 * such as the same program beside it, counts as if they had not.
 */
export function residentMegabytes(pid: number): number {
  const members = tree(pid);
  const sumOf = (field: string) => members.reduce((sum, member) => sum + kilobytes(member, 'smaps_rollup', field), 0);
  const ofFiles = Math.max(...members.map(member => kilobytes(member, 'status', 'RssFile')));
  return (sumOf('Pss_Anon') + sumOf('Pss_Shmem') + ofFiles) / 1024;
}

const kilobytes = (pid: number, file: 'smaps_rollup' | 'status', field: string): number =>
  Number(read(`/proc/${pid}/${file}`).match(new RegExp(`^${field}:\\s+(\\d+)`, 'm'))?.[1] ?? 0);

export const openDescriptors = (pid: number): number =>
  tree(pid).reduce((sum, member) => sum + readdirSync(`/proc/${member}/fd`).length, 0);

/** How many descriptors the process may open at once. */
export const mostDescriptors = (pid: number): number => Number(read(`/proc/${pid}/limits`).match(/^Max open files\s+(\d+)/m)?.[1]);
