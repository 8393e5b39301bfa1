import type { HealthBook } from '../balancing/health.ts';
import type { SharedMemory } from '../lib/counter-memory.ts';
import type { Stoppable } from '../lib/drain.ts';
import type { Json } from '../lib/json.ts';
import type { ListenAddress } from '../lib/listen-address.ts';
import type { Log, LogLevel } from '../lib/log.ts';
import { sumOf } from '../lib/metrics.ts';
import type { KeyPair } from '../lib/self-signed.ts';
import type { Question } from '../plugins/plugin.ts';
import { parentsFirst } from '../store/foreign-fields.ts';
import type { Change, Store } from '../store/store.ts';
import type { Crew, Summary } from './crew.ts';
import { encodeChanges, type Port, type Report, type Setup } from './messages.ts';
import { reservePort } from './reserved-port.ts';
import { pauseAfter } from './restart.ts';
import { type WorkerCommand, WorkerEnded, WorkerProcess } from './worker-process.ts';

/** How long a worker that serves may take over a change: the vaults it asks may take five seconds. */
const CHANGE_MS = 10_000;
/** How many rows a worker gets at a time when it starts: what one portion leaves behind is small. */
const PORTION = 1000;
const REPORT_MS = 1000;
/** What plugins are asked, they know at once. */
const ANSWER_MS = 5000;
/** What a worker may take to write what it still has to, once its requests were cut off. */
const END_MS = 5000;

export interface SupervisorOptions {
  readonly count: number;
  readonly start: WorkerCommand;
  readonly setup: Setup;
  /** The memory of their counters. */
  readonly counters: Pick<SharedMemory, 'descriptor'>;
  readonly log: Log;
}

/** A worker, and what it has been brought to. */
interface Member {
  readonly process: WorkerProcess;
  /** It has the rows, or is about to have them: it gets every change. */
  isFed: boolean;
  /** It may serve requests: a change is made when it has it too. */
  mayServe: boolean;
  servesSince: number | null;
  lastReport: Report | null;
}

/** Keeps workers running that have the configuration of this process, and stands where a proxy would stand. */
export class Supervisor implements Crew {
  readonly #options: SupervisorOptions;
  readonly #ports: Port[] = [];
  #reserved: Stoppable[] = [];
  readonly #members = new Set<Member>();
  /** One for each place of a worker: settled when nobody takes it any more. */
  readonly #places: Promise<void>[] = [];
  readonly #stopping = Promise.withResolvers<void>();
  #isStopping = false;
  #hasStarted = false;
  #level: LogLevel;
  #before: Summary['before'] = { requests: 0, metrics: [] };

  /** Starts the processes at once: they have much to load before they can be told anything. */
  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#level = options.setup.log.level;
    for (let index = 0; index < options.count; index++) this.#spawn();
  }

  /** Sees that nobody else has a port, and keeps it for the workers. Throws when it cannot be had. What it returns stops them all. */
  listen(address: ListenAddress, tls: KeyPair | undefined): Stoppable & { readonly port: number } {
    const reserved = reservePort(address);
    this.#reserved.push(reserved);
    this.#ports.push({ address: { ...address, port: reserved.port }, tls });
    return { port: reserved.port, stop: now => this.#stop(now === true) };
  }

  /** Resolves once every worker serves what this store holds. Rejects when one cannot. */
  async start(store: Store, health: HealthBook): Promise<void> {
    health.onChange(change => {
      for (const { process, isFed } of this.#members) if (isFed) process.call({ kind: 'health', changes: [change] }).catch(ended);
    });
    const began = [...this.#members].map(member => {
      const first = Promise.withResolvers<void>();
      this.#places.push(this.#keep(member, store, health, first));
      return first.promise;
    });
    await Promise.all(began);
    this.#hasStarted = true;
    // What reading and handing on all rows has left behind: this process serves no request that would have to wait.
    Bun.gc(true);
  }

  /** Resolves once every worker that serves has the changes, in the order of the calls. One that cannot take them is replaced. */
  readonly follow = async (changes: readonly Change[]): Promise<void> => {
    const fed = [...this.#members].filter(({ isFed }) => isFed);
    if (fed.length === 0 || changes.length === 0) return;
    const text = encodeChanges(changes);
    await Promise.all(fed.map(member => this.#hand(member, text)));
  };

  get pids(): readonly number[] {
    return this.#serving().map(member => member.process.pid);
  }

  /** Why requests should not come yet, or not now; null: they may. */
  notReady(): string | null {
    if (!this.#hasStarted) return 'the workers are starting';
    return this.#serving().length === 0 ? 'no worker serves' : null;
  }

  async summary(withMetrics: boolean): Promise<Summary> {
    const asked = this.#serving();
    await Promise.all(asked.map(member => this.#ask(member, withMetrics)));
    // What one said that has ended meanwhile is with those before.
    const serving = asked.filter(member => this.#members.has(member));
    const reports = serving.map(({ lastReport }) => lastReport).filter(report => report !== null);
    return { reports, before: this.#before };
  }

  async ask(question: Question): Promise<readonly Json[]> {
    const asked = [...this.#members].filter(({ mayServe }) => mayServe);
    const answers = asked.map(async ({ process }) => {
      // One that ended has taken with it what it knew.
      const answer = process.call({ kind: 'question', question }).catch(ended);
      const inTime = await Promise.race([answer.then(known => known ?? []), Bun.sleep(ANSWER_MS)]);
      if (inTime === undefined) throw new Error(`worker ${process.pid} did not answer for ${ANSWER_MS / 1000} s`);
      return inTime;
    });
    return (await Promise.all(answers)).flat();
  }

  setLogLevel(level: LogLevel): void {
    this.#level = level;
    for (const { process, isFed } of this.#members) if (isFed) process.call({ kind: 'log level', level }).catch(ended);
  }

  #serving(): Member[] {
    return [...this.#members].filter(({ servesSince }) => servesSince !== null);
  }

  #spawn(): Member {
    const { start, counters } = this.#options;
    const member = {
      process: new WorkerProcess(start, counters.descriptor),
      isFed: false,
      mayServe: false,
      servesSince: null,
      lastReport: null,
    };
    this.#members.add(member);
    return member;
  }

  /** One place of a worker: when who has it ends, another takes it. */
  async #keep(first: Member, store: Store, health: HealthBook, began: PromiseWithResolvers<void>): Promise<void> {
    const { log } = this.#options;
    let member = first;
    let diedYoung = 0;
    for (;;) {
      const { process } = member;
      process.onObserved = observation => health.observe(observation);
      void this.#bringUp(member, store, health).then(began.resolve, error => this.#failed(member, error, began.reject));
      const how = await process.ended;
      this.#members.delete(member);
      this.#remember(member.lastReport);
      if (this.#isStopping) return process.silent;
      log.error('a worker ended: another takes its place', { pid: process.pid, how });
      const pause = pauseAfter(member.servesSince, diedYoung);
      diedYoung = pause.diedYoung;
      await Promise.race([Bun.sleep(pause.milliseconds), this.#stopping.promise]);
      if (this.#isStopping) return;
      member = this.#spawn();
    }
  }

  async #bringUp(member: Member, store: Store, health: HealthBook): Promise<void> {
    const { process } = member;
    const { setup } = this.#options;
    await process.awake;
    await process.call({ kind: 'setup', setup: { ...setup, log: { ...setup.log, level: this.#level } } });
    // From here on it gets what changes as well: each row below is what it is by the time it is sent.
    member.isFed = true;
    for (const rows of portionsOf(store)) await process.call({ kind: 'changes', changes: encodeChanges(rows) });
    await process.call({ kind: 'health', changes: [...health.changes()] });
    member.mayServe = true;
    const reserved = this.#reserved;
    this.#reserved = [];
    await Promise.all(reserved.map(port => port.stop()));
    await process.call({ kind: 'listen', ports: this.#ports });
    member.servesSince = performance.now();
  }

  /** One that says why it cannot go on ends; one that has ended will be replaced. */
  async #failed(member: Member, error: unknown, tell?: (reason: Error) => void): Promise<void> {
    const { process } = member;
    if (!(error instanceof WorkerEnded)) {
      const { message } = error as Error;
      tell?.(new Error(`a worker cannot serve: ${message}`));
      this.#options.log.error('a worker cannot go on', { pid: process.pid, error: message });
    }
    process.kill();
    await process.ended;
  }

  async #hand(member: Member, changes: string): Promise<void> {
    const { process, mayServe } = member;
    const taken = process.call({ kind: 'changes', changes }).catch(error => this.#failed(member, error));
    // It takes them before it is told to listen.
    if (!mayServe) return;
    const timer = setTimeout(() => {
      this.#options.log.error(`a worker did not take a change for ${CHANGE_MS / 1000} s`, { pid: process.pid });
      process.kill();
    }, CHANGE_MS);
    await taken;
    clearTimeout(timer);
  }

  async #ask(member: Member, withMetrics: boolean): Promise<void> {
    const asked = member.process.call({ kind: 'report', withMetrics }).catch(ended);
    const report = await Promise.race([asked, Bun.sleep(REPORT_MS)]);
    if (report) member.lastReport = { ...report, metrics: report.metrics ?? member.lastReport?.metrics ?? null };
  }

  /** Counters never fall, though who counted is no more. */
  #remember(report: Report | null): void {
    const { requests, metrics } = this.#before;
    this.#before = { requests: requests + (report?.requests ?? 0), metrics: sumOf([metrics, report?.metrics ?? []]) };
  }

  async #stop(now: boolean): Promise<void> {
    this.#isStopping = true;
    this.#stopping.resolve();
    for (const port of this.#reserved) void port.stop();
    for (const { process } of this.#members) {
      // Who is not listening yet hears nothing, and has nothing in flight.
      if (process.isAwake) process.call({ kind: 'stop', now }).catch(ended);
      else process.kill();
      if (now) setTimeout(() => process.kill(), END_MS).unref();
    }
    await Promise.all(this.#places);
  }
}

/** What is asked of a worker that ends meanwhile comes to nothing: its place knows. */
function ended(error: unknown): undefined {
  if (!(error instanceof WorkerEnded)) throw error;
}

/** All rows there are, not too many at a time: those that others point at or get their secrets from come before them. */
function* portionsOf(store: Store): Iterable<readonly Change[]> {
  const entities = parentsFirst(store.entities.values()).toSorted((a, b) => Number(b.name === 'vaults') - Number(a.name === 'vaults'));
  for (const entity of entities) {
    const ids = Array.from(store.all(entity), ({ id }) => id);
    for (let first = 0; first < ids.length; first += PORTION) {
      const rows = ids.slice(first, first + PORTION).map(id => store.find(entity, id));
      yield rows.flatMap(row => (row ? [{ entity, id: row.id, row }] : []));
    }
  }
}
