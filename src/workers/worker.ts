import { DnsResolver } from '../balancing/dns-resolver.ts';
import type { Observation } from '../balancing/health.ts';
import { entitiesOf } from '../gateway/entities.ts';
import { type Gateway, openGateway } from '../gateway/gateway.ts';
import { inheritedMemory } from '../lib/counter-memory.ts';
import { createLog, type LeveledLog } from '../lib/log.ts';
import { loadBundle, trustOnly } from '../lib/outbound.ts';
import { createTurns } from '../lib/turns.ts';
import { reportUncaught } from '../lib/uncaught.ts';
import { enabledPlugins } from '../plugins/registry.ts';
import { listen, type ProxyListener } from '../proxy/listener.ts';
import { createProxy, type HttpProxy } from '../proxy/proxy.ts';
import { openStore } from '../store/memory.ts';
import { SqliteCounters } from '../store/sqlite-counters.ts';
import type { Store } from '../store/store.ts';
import { vaults } from '../vaults/registry.ts';
import { type Answer, type Call, COUNTERS, type Demand, decodeChanges, type Result, type Setup } from './messages.ts';
import { reportOf } from './report.ts';

/** Serves the proxy ports as the supervisor says, and ends with it. Throws when there is none: a worker is nothing to start by hand. */
export async function runWorker(): Promise<void> {
  if (process.send === undefined) throw new Error('only the gateway itself starts workers');
  // Who ends a group of processes ends the supervisor too, which knows the order.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => {});
  process.on('disconnect', () => process.exit(1));
  await loadBundle(process.env);

  const send = (answer: Answer) => process.send?.(answer);
  const worker = new Worker(observed => void send({ observed }));
  process.on('message', async ({ number, ...demand }: Call) => {
    try {
      const result = await worker.do(demand);
      send({ number, error: null, ...(result && { result }) });
    } catch (error) {
      send({ number, error: (error as Error).message });
    }
  });
  send({ awake: true });
  await worker.stopped;
}

/** What a worker is once it is set up. */
interface Parts {
  readonly log: LeveledLog;
  readonly store: Store;
  readonly gateway: Gateway;
  readonly databaseCounters: SqliteCounters | null;
  readonly proxy: HttpProxy;
}

class Worker {
  readonly stopped: Promise<void>;
  readonly #stopped = Promise.withResolvers<void>();
  readonly #inTurn = createTurns();
  readonly #listeners: ProxyListener[] = [];
  #parts: Parts | null = null;
  #stopping: Promise<undefined> | null = null;

  readonly #countHealth: (observation: Observation) => void;

  constructor(countHealth: (observation: Observation) => void) {
    this.#countHealth = countHealth;
    this.stopped = this.#stopped.promise;
  }

  async do(demand: Demand): Promise<Result> {
    switch (demand.kind) {
      case 'setup':
        return this.#inTurn(() => this.#setUp(demand.setup));
      case 'changes':
        return this.#inTurn(() => this.#follow(demand.changes));
      case 'health':
        return this.#inTurn(async () => {
          for (const change of demand.changes) this.#ready.gateway.balancers.health.set(change);
          return undefined;
        });
      case 'listen':
        return this.#inTurn(async () => {
          // What the rows left behind on their way here: later, requests would have to wait for it.
          Bun.gc(true);
          this.#ready.gateway.balancers.start();
          for (const { address, tls } of demand.ports) this.#listeners.push(listen(address, tls, this.#ready.proxy, 'shared'));
          return undefined;
        });
      case 'log level':
        this.#ready.log.level = demand.level;
        return undefined;
      case 'report':
        return reportOf(this.#ready.proxy, this.#ready.gateway, demand.withMetrics);
      case 'question':
        return this.#ready.gateway.ask(demand.question);
      case 'stop':
        return this.#stop(demand.now);
    }
  }

  get #ready(): Parts {
    if (this.#parts === null) throw new Error('the worker is not set up');
    return this.#parts;
  }

  async #setUp({
    proxy,
    plugins: enabled,
    prefix,
    nodeId,
    names,
    counterFile,
    log: { level, format },
    certificates,
  }: Setup): Promise<undefined> {
    if (certificates !== null) trustOnly(certificates);
    const log = createLog({ level, format });
    reportUncaught(log);
    const plugins = enabledPlugins(enabled);
    const store = await openStore(entitiesOf(plugins));
    const databaseCounters = counterFile === null ? null : new SqliteCounters(counterFile);
    const gateway = await openGateway({
      store,
      plugins,
      vaults,
      log,
      prefix,
      nodeId,
      resolver: new DnsResolver(names),
      lookUpHosts: names.lookUpHosts,
      counterMemory: inheritedMemory(COUNTERS),
      databaseCounters,
      configuring: 'when used',
      countHealth: this.#countHealth,
    });
    this.#parts = { log, store, gateway, databaseCounters, proxy: createProxy({ ...proxy, gateway, log }) };
  }

  async #follow(changes: string): Promise<undefined> {
    const { store, gateway } = this.#ready;
    await gateway.follow(decodeChanges(changes, store.entities));
  }

  #stop(now: boolean): Promise<undefined> {
    if (now) for (const listener of this.#listeners) void listener.stop(true);
    this.#stopping ??= this.#end();
    return this.#stopping;
  }

  async #end(): Promise<undefined> {
    await Promise.all(this.#listeners.map(listener => listener.stop()));
    await this.#parts?.gateway.close();
    this.#parts?.databaseCounters?.close();
    this.#stopped.resolve();
  }
}
