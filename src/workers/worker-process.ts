import type { Observation } from '../balancing/health.ts';
import { stderr, stdout } from '../lib/output.ts';
import { relayLines } from '../lib/relay-lines.ts';
import type { Answer, Call, Demand, Result, ResultOf } from './messages.ts';

/** How a worker is started. */
export interface WorkerCommand {
  readonly command: readonly string[];
  /** Asked for each start. */
  environment(): Readonly<Record<string, string | undefined>>;
}

/** The worker is no more, or cannot be reached any more. */
export class WorkerEnded extends Error {}

/** A worker as the supervisor sees it: a child process that does what it is told, or ends. */
export class WorkerProcess {
  /** Resolves once the worker listens to calls: those made before would be lost. Rejects when it ends before. */
  readonly awake: Promise<void>;
  /** Resolves to how it ended, in words. */
  readonly ended: Promise<string>;
  /** Resolves once all that it printed has been passed on. */
  readonly silent: Promise<void>;
  isAwake = false;
  /** Told what the worker sees of targets. */
  onObserved: (observation: Observation) => void = () => {};
  readonly #child: Bun.Subprocess<'ignore', 'pipe', 'pipe'>;
  readonly #awake = Promise.withResolvers<void>();
  readonly #calls = new Map<number, PromiseWithResolvers<Result>>();
  #number = 0;

  /** The worker gets the open file as its descriptor `COUNTERS`. */
  constructor({ command, environment }: WorkerCommand, counters: number) {
    this.awake = this.#awake.promise;
    this.awake.catch(() => {}); // Nobody may be waiting yet.
    this.#child = Bun.spawn([...command], {
      env: { ...environment() },
      stdio: ['ignore', 'pipe', 'pipe', counters],
      serialization: 'advanced',
      ipc: (answer: Answer) => this.#take(answer),
    });
    const output = [relayLines(this.#child.stdout, stdout), relayLines(this.#child.stderr, stderr)];
    this.silent = Promise.all(output).then(() => {});
    this.ended = this.#child.exited.then(() => this.#end());
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Resolves once the worker has done it. Rejects with what it says is in the way, and when it ends before. */
  async call<D extends Demand>(demand: D): Promise<ResultOf<D>> {
    const answer = Promise.withResolvers<Result>();
    const number = ++this.#number;
    this.#calls.set(number, answer);
    try {
      this.#send({ ...demand, number });
      return (await answer.promise) as ResultOf<D>;
    } finally {
      this.#calls.delete(number);
    }
  }

  /** Ends it at once. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #send(call: Call): void {
    try {
      this.#child.send(call);
    } catch (error) {
      throw new WorkerEnded((error as Error).message);
    }
  }

  #end(): string {
    const { exitCode, signalCode } = this.#child;
    const how = String(signalCode ?? `exit code ${exitCode}`);
    const gone = new WorkerEnded(how);
    this.#awake.reject(gone);
    for (const { reject } of this.#calls.values()) reject(gone);
    return how;
  }

  #take(answer: Answer): void {
    if ('awake' in answer) {
      this.isAwake = true;
      this.#awake.resolve();
      return;
    }
    if ('observed' in answer) {
      this.onObserved(answer.observed);
      return;
    }
    const { number, error, result } = answer;
    if (error === null) this.#calls.get(number)?.resolve(result);
    else this.#calls.get(number)?.reject(new Error(error));
  }
}
