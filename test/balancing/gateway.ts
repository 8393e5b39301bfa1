import { createAdmin } from '../../src/admin/admin.ts';
import { DnsResolver } from '../../src/balancing/dns-resolver.ts';
import type { Resolver } from '../../src/balancing/resolver.ts';
import { entitiesOf } from '../../src/gateway/entities.ts';
import { openGateway } from '../../src/gateway/gateway.ts';
import type { Clock } from '../../src/lib/clock.ts';
import type { Plugin } from '../../src/plugins/plugin.ts';
import { openStore } from '../../src/store/memory.ts';
import { startProxy } from '../proxy/gateway.ts';
import { startNameServer } from '../support/name-server.ts';
import { recordingLog } from '../support/recording-log.ts';

/** Knows no name but those of the machine. */
const nowhere = await startNameServer();
const search = { domains: [], dots: 1 };
const localNames = new DnsResolver({ hostsFile: '/etc/hosts', servers: [nowhere.address], search });

export interface Balanced {
  readonly upstream?: object;
  readonly targets: readonly (string | object)[];
  readonly service?: object;
  readonly route?: object;
  readonly resolver?: Resolver;
  readonly lookUpHosts?: boolean;
  readonly clock?: Clock;
  readonly plugins?: readonly Plugin[];
}

/** A gateway with an Admin API and a proxy, and one service whose host is the upstream `backend`. */
export async function startBalanced({
  upstream,
  targets,
  service,
  route,
  resolver = localNames,
  lookUpHosts,
  clock,
  plugins = [],
}: Balanced) {
  const { log, said, lines } = recordingLog();
  const store = await openStore(entitiesOf(plugins));
  const options = { resolver, ...(clock && { clock }), ...(lookUpHosts && { lookUpHosts }) };
  const gateway = await openGateway({ store, plugins, log, prefix: '.', ...options });
  const app = createAdmin({
    store,
    gateway,
    balancers: gateway.balancers,
    log,
    plugins,
    token: null,
    guiOrigins: [],
    version: { sluice: '1.2.3', kong: '3.9.1' },
    nodeId: 'node',
    configuration: {},
    pids: () => [],
    ask: async question => gateway.ask(question),
    status: async () => ({ server: {}, database: { reachable: true }, processes: [], measured: [], fault: null }),
    notReady: () => null,
    logLevel: { get: () => 'notice', set() {} },
    declarative: null,
  });
  /** Throws for an answer that is no success. */
  const admin = async (method: string, path: string, body?: object) => {
    const init = { method, ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }) };
    const response = await app.fetch(new Request(`http://localhost${path}`, init), '127.0.0.1');
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text === '' ? null : JSON.parse(text);
  };
  await admin('POST', '/upstreams', { name: 'backend', ...upstream });
  for (const target of targets) {
    await admin('POST', '/upstreams/backend/targets', typeof target === 'string' ? { target } : target);
  }
  await admin('POST', '/services', { name: 'api', host: 'backend', ...service });
  await admin('POST', '/services/api/routes', { paths: ['/'], ...route });
  gateway.balancers.start();
  const proxy = startProxy({ gateway, log });
  return {
    admin,
    gateway,
    said,
    lines,
    url: proxy.url,
    port: proxy.port,
    /** Sends so many requests, one after the other. */
    send: async (count: number, path = '/', init: RequestInit = {}) => {
      const answers: Response[] = [];
      for (let sent = 0; sent < count; sent++) answers.push(await fetch(proxy.url + path, init));
      return answers;
    },
    /** The word that the Admin API has for each target, by its name. */
    health: async () => {
      const { data } = await admin('GET', '/upstreams/backend/health');
      return Object.fromEntries((data as { target: string; health: string }[]).map(({ target, health }) => [target, health]));
    },
    async [Symbol.asyncDispose]() {
      proxy[Symbol.dispose]();
      await gateway.close();
    },
  };
}
