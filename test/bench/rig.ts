import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { cpus, homedir, release, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { writeAnswers } from './vendors.ts';

/** What the load generator saw; times in microseconds. */
export interface LoadFigures {
  readonly requests: number;
  readonly errors: number;
  readonly seconds: number;
  readonly events: number;
  readonly latency: Quantiles;
  readonly first_byte: Quantiles;
  readonly token: Quantiles;
}

interface Quantiles {
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
}

export interface Load {
  readonly port: number;
  /** One HTTP/1.1 request as it goes over the wire. */
  readonly request: string;
  readonly connections: number;
  readonly seconds: number;
  /** Requests a second, each due at its moment; 0: as many as go. */
  readonly rate: number;
  /** Seconds that the last requests may take; 10 unless told. */
  readonly patience?: number;
}

/** The ground that gateways stand on while they are measured: a scripted upstream, a load generator, cores, a folder, an end. */
export interface Rig {
  /** Goes when the bench ends. */
  readonly folder: string;
  /** Stays, for what is downloaded. */
  readonly cache: string;
  readonly upstream: { readonly port: number; readonly pid: number };
  /** In words. */
  readonly machine: string;
  /** Starts a process on the core of what is measured; it ends with the bench. */
  spawn(command: readonly string[], environment?: Readonly<Record<string, string>>): Bun.Subprocess;
  load(load: Load): Promise<LoadFigures>;
  /** Ends what it started and removes its files. */
  close(): Promise<void>;
}

const { PATH = '', HOME = homedir(), XDG_CACHE_HOME = join(HOME, '.cache'), EXECUTABLE = 'dist/sluice' } = process.env;

/** The gateway's executable. */
export const executable = resolve(EXECUTABLE);

export const which = (program: string): string | null => Bun.which(program, { PATH: `${PATH}:/usr/sbin:/sbin` });

/** The first line in which a program says its version. */
export function version(...command: string[]): string {
  const { stdout, stderr } = Bun.spawnSync(command);
  return (stdout.toString() || stderr.toString()).trim().split('\n')[0] ?? '';
}

export function fail(message: string): never {
  console.error(message);
  process.exit(1);
}

export async function openRig(): Promise<Rig> {
  const gcc = which('gcc');
  if (!gcc) {
    console.log("skipped: needs gcc, to compile the upstream and the load (Debian's packages gcc and libc6-dev)");
    process.exit(0);
  }
  if (!existsSync(executable)) fail(`${EXECUTABLE} is missing: make build`);
  const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
  const started: Bun.Subprocess[] = [];
  const close = async () => {
    for (const child of started) child.kill();
    await Promise.all(started.map(child => child.exited));
    rmSync(folder, { recursive: true, force: true });
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void close().then(() => process.exit(130)));
  process.on('exit', () => {
    for (const child of started) child.kill();
    rmSync(folder, { recursive: true, force: true });
  });

  const cores = allowedCores();
  const taskset = cores.length > 1 ? which('taskset') : null;
  const setpriv = which('setpriv');
  /** Keeps what is measured and what measures on cores of their own, where there are two; nothing outlives the bench. */
  const placed = (index: 0 | 1, command: readonly string[]) => [
    ...(setpriv ? [setpriv, '--pdeathsig', 'TERM'] : []),
    ...(taskset ? [taskset, '-c', String(cores[index])] : []),
    ...command,
  ];
  const spawn = (command: readonly string[], environment: Readonly<Record<string, string>>, stdout: 'ignore' | 'pipe') => {
    const child = Bun.spawn(command as string[], { cwd: folder, env: { PATH, HOME, ...environment }, stdout, stderr: 'inherit' });
    started.push(child);
    return child;
  };

  for (const program of ['upstream', 'load']) {
    const compiled = Bun.spawnSync([gcc, '-O2', '-o', join(folder, program), join(import.meta.dir, `${program}.c`)]);
    if (!compiled.success) fail(compiled.stderr.toString());
  }
  await writeAnswers(folder);
  const upstream = spawn(placed(1, [join(folder, 'upstream'), folder]), {}, 'pipe');
  const { value } = await (upstream.stdout as ReadableStream<Uint8Array>).getReader().read();
  const places = taskset ? 'the gateway on one core, upstream and load on another' : 'everything on the same cores';
  const files = new Map<string, Promise<string>>();
  const fileOf = (request: string) => {
    const file = join(folder, `request-${files.size}`);
    const known = files.get(request) ?? Bun.write(file, request).then(() => file);
    files.set(request, known);
    return known;
  };

  return {
    folder,
    cache: join(XDG_CACHE_HOME, 'sluice-bench'),
    upstream: { port: Number(new TextDecoder().decode(value)), pid: upstream.pid },
    machine: `${cpus()[0]?.model.trim()}, ${cores.length} cores, Linux ${release()}; ${places}`,
    spawn: (command, environment = {}) => spawn(placed(0, command), environment, 'ignore'),
    async load({ port, request, connections, seconds, rate, patience = 10 }) {
      const command = [join(folder, 'load'), port, await fileOf(request), connections, seconds, rate, patience];
      const child = spawn(placed(1, command.map(String)), {}, 'pipe');
      const printed = await (child.stdout as ReadableStream<Uint8Array>).text();
      started.splice(started.indexOf(child), 1);
      if (printed === '') fail('the load generator could not connect');
      return JSON.parse(printed) as LoadFigures;
    },
    close,
  };
}

/** The cores this process may use: `0-2,5` is 0, 1, 2 and 5. */
function allowedCores(): number[] {
  const list = readFileSync('/proc/self/status', 'utf8').match(/^Cpus_allowed_list:\s+(.+)/m)?.[1] ?? '0';
  return list.split(',').flatMap(range => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
