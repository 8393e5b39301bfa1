import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dir, '..', '..');
export const EXECUTABLE = join(root, 'dist', 'sluice');

// Made anew only when a source is newer.
const made = Bun.spawnSync(['make', '--silent', 'build'], { cwd: root, stdout: 'ignore', stderr: 'pipe' });
if (made.exitCode !== 0) throw new Error(`make build failed:\n${made.stderr}`);

export interface Finished {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface RunOptions {
  readonly folder?: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** The command that runs a command, to start it under other conditions. */
  readonly under?: (command: readonly string[]) => readonly string[];
}

/** A new folder, for a gateway's files. */
export const newFolder = (): string => mkdtempSync(join(tmpdir(), 'sluice-test-'));

/** A test that failed before it stopped its gateway leaves none behind. */
const endWithTests = Bun.which('setpriv') ? ['setpriv', '--pdeathsig', 'KILL'] : [];

function spawn(args: readonly string[], { folder = newFolder(), environment = {}, under = command => command }: RunOptions) {
  // Nothing of this machine's environment, so that its proxies and certificates decide about no test.
  const { PATH, TMPDIR } = process.env;
  return Bun.spawn([...endWithTests, ...under([EXECUTABLE, ...args])], {
    cwd: folder,
    env: { PATH, TMPDIR, ...environment },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  });
}

/** Runs one command to its end. */
export async function runExecutable(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const process = spawn(args, options);
  const [stdout, stderr, exitCode] = await Promise.all([process.stdout.text(), process.stderr.text(), process.exited]);
  return { exitCode, stdout, stderr };
}

/** One line of the log. */
export interface LogEntry {
  readonly level: string;
  readonly message: string;
  readonly [fact: string]: unknown;
}

export interface RunningGateway extends AsyncDisposable {
  /** URLs without a slash at their end; of several listeners, the first. */
  readonly proxy: string;
  readonly admin: string;
  readonly status: string;
  readonly folder: string;
  readonly pid: number;
  /** What it has logged so far. */
  readonly log: readonly LogEntry[];
  /** Resolves to the first entry that fits, now or later. */
  logged(fits: (entry: LogEntry) => boolean): Promise<LogEntry>;
  /** Sends a signal and resolves to the exit code. */
  stop(signal?: NodeJS.Signals): Promise<number>;
  signal(signal: NodeJS.Signals): void;
  /** Resolves once everybody who prints has closed the output, and `log` has all of it. */
  readonly closed: Promise<void>;
  /** Asks the Admin API; an object is sent as JSON. */
  request(method: string, path: string, body?: object): Promise<{ status: number; body: unknown }>;
}

interface StartOptions extends RunOptions {
  readonly args?: readonly string[];
  /** Listen where the settings say, not on ports that happen to be free. */
  readonly defaultPorts?: boolean;
}

const FREE_PORTS = { SLUICE_PROXY_LISTEN: '127.0.0.1:0', SLUICE_ADMIN_LISTEN: '127.0.0.1:0', SLUICE_STATUS_LISTEN: '127.0.0.1:0' };

/** Starts the compiled gateway and resolves once it says that it is ready. Rejects with what it printed when it ends before. */
export async function startGateway(options: StartOptions = {}): Promise<RunningGateway> {
  const folder = options.folder ?? newFolder();
  const environment = { ...(options.defaultPorts ? {} : FREE_PORTS), ...options.environment };
  const child = spawn(['start', ...(options.args ?? [])], { ...options, folder, environment });
  const log: LogEntry[] = [];
  const waiting = new Set<() => void>();

  const logged = (fits: (entry: LogEntry) => boolean) => {
    const { promise, resolve, reject } = Promise.withResolvers<LogEntry>();
    const look = () => {
      const entry = log.find(fits);
      if (entry) resolve(entry);
      else if (child.exitCode !== null) reject(new Error(`the gateway ended with exit code ${child.exitCode}`));
      else return;
      waiting.delete(look);
    };
    waiting.add(look);
    look();
    return promise;
  };
  const look = () => {
    for (const check of [...waiting]) check();
  };
  const closed = readLines(child.stdout, line => {
    log.push(JSON.parse(line) as LogEntry);
    look();
  });
  void child.exited.then(look);

  const errors = child.stderr.text();
  const ready = await logged(entry => entry.message === 'sluice is ready').catch(async (error: Error) => {
    throw new Error(`${error.message}: ${await errors}`);
  });
  const listeners = ready as LogEntry & Readonly<Record<'proxy' | 'admin' | 'status', readonly string[]>>;
  const [proxy = ''] = listeners.proxy;
  const [admin = ''] = listeners.admin;
  const [status = ''] = listeners.status;
  const stop = async (signal: NodeJS.Signals = 'SIGTERM') => {
    child.kill(signal);
    return child.exited;
  };
  return {
    proxy,
    admin,
    status,
    folder,
    pid: child.pid,
    log,
    logged,
    stop,
    signal: signal => child.kill(signal),
    closed,
    async request(method, path, body) {
      const json = body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
      const response = await fetch(admin + path, { method, ...json });
      const text = await response.text();
      return { status: response.status, body: text === '' ? null : JSON.parse(text) };
    },
    async [Symbol.asyncDispose]() {
      await stop('SIGKILL');
    },
  };
}

async function readLines(stream: ReadableStream<Uint8Array>, take: (line: string) => void): Promise<void> {
  let rest = '';
  const decoder = new TextDecoder();
  for await (const bytes of stream) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) take(line);
  }
}
