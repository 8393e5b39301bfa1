import { expect, test } from 'bun:test';
import type { Work } from '../../src/admin/status.ts';
import { createStatus } from '../../src/admin/status-app.ts';
import type { Entity, Row } from '../../src/entities/entity.ts';
import type { Plugin } from '../../src/plugins/plugin.ts';
import { prometheus } from '../../src/plugins/prometheus.ts';
import { openAdmin } from './harness.ts';

const counted = {
  facts: { name: 'kong_http_requests_total', help: 'HTTP', type: 'counter', labels: ['service'] } as const,
  series: [{ labels: ['ai'], numbers: [3] }],
};
const work: Work = {
  server: { connections_active: 1, total_requests: 2 },
  database: { reachable: false },
  processes: [
    { pid: 7, heapUsed: 3000, rss: 64_000 },
    { pid: 8, heapUsed: 4000, rss: 64_000 },
  ],
  measured: [counted],
  fault: null,
};
const GATEWAY = `# HELP kong_nginx_connections_total Number of connections by subsystem
# TYPE kong_nginx_connections_total gauge
kong_nginx_connections_total{node_id="node",subsystem="http",state="total"} 2
kong_nginx_connections_total{node_id="node",subsystem="http",state="active"} 1
# HELP kong_nginx_requests_total Number of requests total
# TYPE kong_nginx_requests_total gauge
kong_nginx_requests_total{node_id="node",subsystem="http"} 2
# HELP kong_datastore_reachable Datastore reachable from Kong, 0 is unreachable
# TYPE kong_datastore_reachable gauge
kong_datastore_reachable 0
# HELP kong_node_info Kong Node metadata information
# TYPE kong_node_info gauge
kong_node_info{node_id="node",version="3.9.1"} 1
# HELP kong_memory_workers_lua_vms_bytes Allocated bytes in worker Lua VM
# TYPE kong_memory_workers_lua_vms_bytes gauge
kong_memory_workers_lua_vms_bytes{node_id="node",pid="7",kong_subsystem="http"} 3000
kong_memory_workers_lua_vms_bytes{node_id="node",pid="8",kong_subsystem="http"} 4000
`;

/** `plugin` is the one that a row configures. */
async function open(plugin: string, plugins: readonly Plugin[] = [prometheus]) {
  const { store, log } = await openAdmin();
  const entity = store.entities.get('plugins') as Entity;
  const row = { id: '0f1a4101-3327-4274-b1e4-484a4ab0c030', name: plugin, config: {}, enabled: true } as Row;
  await store.commit(store.stage([{ kind: 'insert', entity, row }]));
  const asked: boolean[] = [];
  const status = async (withMetrics: boolean) => {
    asked.push(withMetrics);
    return work;
  };
  const version = { sluice: '0.1.0', kong: '3.9.1' };
  const balancers = { byId: () => null };
  const options = { balancers, status, notReady: () => null, nodeId: 'node', version, plugins, store, log };
  return { get: async () => createStatus(options).fetch(new Request('http://localhost/metrics')), asked };
}

test('/metrics has what the gateway tells of itself, and what the plugin counted', async () => {
  const { get } = await open('prometheus');
  const response = await get();
  expect(response.headers.get('content-type')).toBe('text/plain; charset=UTF-8');
  const plugins =
    '# HELP kong_http_requests_total HTTP\n# TYPE kong_http_requests_total counter\nkong_http_requests_total{service="ai"} 3\n';
  expect(await response.text()).toBe(GATEWAY + plugins);
});

test('/metrics asks nobody for what a plugin counted that is not configured', async () => {
  const { get, asked } = await open('sample');
  expect(await (await get()).text()).toBe(GATEWAY);
  expect(asked).toEqual([false]);
});

test('/metrics is there in the Admin API', async () => {
  const { send } = await openAdmin({ plugins: [prometheus] });
  const response = await send('GET', '/metrics');
  expect([response.status, (await response.text()).split('\n')[0]]).toEqual([
    200,
    '# HELP kong_nginx_connections_total Number of connections by subsystem',
  ]);
});

test('/metrics is not there where the plugin may not be used', async () => {
  expect((await (await open('sample', [])).get()).status).toBe(404);
});
