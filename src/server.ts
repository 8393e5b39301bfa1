import { resolve } from 'node:path';
import { listenApp, whenAsked } from './admin/listener.ts';
import { banner } from './banner.ts';
import { type Configuration, counterFile, nodeId, openConfiguration } from './configuration.ts';
import { declarativeSource } from './declarative-source.ts';
import type { Gateway } from './gateway/gateway.ts';
import { sharedMemory } from './lib/counter-memory.ts';
import { drain } from './lib/drain.ts';
import type { LeveledLog } from './lib/log.ts';
import { sumOf } from './lib/metrics.ts';
import { stdout } from './lib/output.ts';
import { tellSystemd } from './lib/systemd.ts';
import { reportUncaught } from './lib/uncaught.ts';
import { kongApiLevel, version } from './lib/version.ts';
import { type Listeners, openListeners } from './listeners.ts';
import { namesOf } from './outbound-settings.ts';
import { createProxy } from './proxy/proxy.ts';
import { kongConfiguration, publicSettings, type Settings, workerCount } from './settings.ts';
import { alone, type Crew } from './workers/crew.ts';
import type { Report, Setup } from './workers/messages.ts';
import { Supervisor } from './workers/supervisor.ts';
import type { WorkerCommand } from './workers/worker-process.ts';

/** What else the gateway is started with. */
export interface Launch {
  /** How one of its workers is started. */
  readonly worker: WorkerCommand;
  /** The only CAs to be trusted, as PEM texts; null: the usual ones. */
  readonly certificates: readonly string[] | null;
}

/** Puts the parts together and serves. Resolves once a signal ended it and the requests in flight are done. */
export async function serve(settings: Settings, log: LeveledLog, { worker, certificates }: Launch): Promise<void> {
  reportUncaught(log);
  const count = workerCount(settings);
  const counters = count > 1 ? sharedMemory() : null;
  const workers = counters && new Supervisor({ count, start: worker, setup: setupOf(settings, log, certificates), counters, log });
  const configuration = await openConfiguration(
    settings,
    log,
    workers ? { configuring: 'on trial', onApplied: workers.follow, counterMemory: counters.memory } : { configuring: 'at once' },
  );
  try {
    const work = await assemble(settings, log, configuration, workers);
    const listeners = openListeners(settings, {
      proxy: (address, tls) => work.crew.listen(address, tls),
      admin: (address, tls) => listenApp(address, tls, work.admin),
      status: (address, tls) => listenApp(address, tls, work.status),
    });
    const signal = stopSignal();
    process.on('SIGHUP', () => void work.reload());
    const started = work.start().then(() => {
      announce(settings, listeners, configuration, log);
      tellSystemd('READY=1', log);
    });
    await Promise.race([started, signal]);

    log.notice(`${await signal}: no new connections, requests in flight may finish`);
    work.stop();
    tellSystemd('STOPPING=1', log);
    await drain(
      Object.values(listeners).flatMap(list => list.map(({ server }) => server)),
      log,
    );
    log.notice('stopped');
  } finally {
    await configuration.close();
  }
}

/**
 * Throws when the gateway would not start with these settings, unless that is for an address or a database that cannot be had.
 * Resolves to what does not work here and now.
 */
export async function rehearse(settings: Settings, log: LeveledLog): Promise<string | null> {
  const configuration = await openConfiguration({ ...settings, database: 'off' }, log);
  try {
    await assemble(settings, log, configuration, null);
    return configuration.gateway.fault;
  } finally {
    await configuration.close();
  }
}

/** The proxy, the Admin API and the status page over one configuration. Without workers, this process serves alone. */
async function assemble(settings: Settings, log: LeveledLog, configuration: Configuration, workers: Supervisor | null) {
  const { store, gateway, plugins, place } = configuration;
  const declarative = settings.database === 'off' ? declarativeSource(configuration, settings, log) : null;
  await declarative?.loadFile();
  // Made even where workers serve: what it throws for is to be known before they start.
  const proxy = createProxy({ ...proxyOptions(settings), gateway, log });
  const crew: Crew = workers ?? alone(proxy, gateway);
  const started = Promise.withResolvers<void>();
  let stopping = false;
  const state = {
    log,
    store,
    plugins,
    version: { sluice: version, kong: kongApiLevel },
    nodeId: nodeId(settings),
    balancers: gateway.balancers,
    status: async (withMetrics: boolean) => {
      await started.promise;
      const { reports, before } = await crew.summary(withMetrics);
      return {
        server: {
          total_requests: reports.reduce((sum, { requests }) => sum + requests, before.requests),
          connections_active: reports.reduce((sum, { active }) => sum + active, 0),
        },
        database: { reachable: store.reachable() },
        ...(declarative && { configuration_hash: declarative.hash() }),
        processes: reports,
        measured: sumOf([before.metrics, ...reports.map(({ metrics }) => metrics ?? [])]),
        fault: faultOf(gateway, reports),
      };
    },
    notReady: () => {
      if (stopping) return 'the gateway is stopping';
      return declarative?.isEmpty() ? 'no configuration was loaded yet' : crew.notReady();
    },
  };
  const admin = whenAsked(async () => {
    const { createAdmin } = await import('./admin/admin.ts');
    return createAdmin({
      ...state,
      gateway,
      pids: () => crew.pids,
      ask: question => crew.ask(question),
      configuration: { ...publicSettings(settings), ...kongConfiguration(settings) },
      token: settings.admin_token,
      guiOrigins: settings.admin_gui_url.map(url => new URL(url).origin),
      logLevel: {
        get: () => log.level,
        set: level => {
          log.level = level;
          crew.setLogLevel(level);
        },
      },
      declarative: declarative && {
        isServed: text => declarative.isServed(text),
        load: text => declarative.load({ text, name: 'config', environment: null }),
      },
    });
  });
  const status = whenAsked(async () => (await import('./admin/status-app.ts')).createStatus(state));
  const start = async () => {
    gateway.balancers.start();
    await crew.start(store, gateway.balancers.health);
    started.resolve();
  };
  const stop = () => {
    stopping = true;
    started.resolve();
  };
  const reload = async () => {
    if (declarative) await declarative.reload();
    else log.notice('SIGHUP: nothing to load, the configuration is in the database', { database: place });
  };
  return { crew, admin, status, start, stop, reload };
}

const proxyOptions = (settings: Settings) => ({
  version,
  trustedIps: settings.trusted_ips,
  realIpHeader: settings.real_ip_header,
  realIpRecursive: settings.real_ip_recursive === 'on',
  headers: settings.headers,
});

function setupOf(settings: Settings, { level, format }: LeveledLog, certificates: Launch['certificates']): Setup {
  const { plugins, prefix } = settings;
  return {
    proxy: proxyOptions(settings),
    plugins,
    prefix: resolve(prefix),
    nodeId: nodeId(settings),
    names: namesOf(settings, process.env),
    counterFile: counterFile(settings),
    log: { level, format },
    certificates,
  };
}

/** What does not work here, then what does not work in those who serve. */
function faultOf(gateway: Gateway, reports: readonly Report[]): string | null {
  const elsewhere = new Set(reports.map(({ fault }) => fault).filter(fault => fault !== null && fault !== gateway.fault));
  const faults = [...(gateway.fault === null ? [] : [gateway.fault]), ...[...elsewhere].map(fault => `in a worker: ${fault}`)];
  return faults.length > 0 ? faults.join('; ') : null;
}

/** Tells people where the gateway is and what to do next; tells machines the same in one log entry. */
function announce(settings: Settings, listeners: Listeners, { store, place }: Configuration, log: LeveledLog): void {
  const urls = (kind: keyof Listeners) => listeners[kind].map(({ url }) => url);
  const data = place ?? settings.declarative_config ?? 'memory';
  const facts = { proxy: urls('proxy'), admin: urls('admin'), status: urls('status'), data };
  const empty = [...store.entities.values()].every(entity => store.page(entity, { size: 1 }).rows.length === 0);
  if (log.format === 'json') log.notice('sluice is ready', { version, ...facts });
  else stdout.say(banner({ ...facts, empty, tokenNeeded: settings.admin_token !== null }));
}

/** Resolves to the first signal that asks for the end. A second one ends at once. */
function stopSignal(): Promise<NodeJS.Signals> {
  const { promise, resolve: settle } = Promise.withResolvers<NodeJS.Signals>();
  let asked = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (asked) process.exit(1);
      asked = true;
      settle(signal);
    });
  }
  return promise;
}
