import { describe, expect, test } from 'bun:test';
import type { StatusOptions, Work } from '../../src/admin/status.ts';
import { createStatus } from '../../src/admin/status-app.ts';
import { openAdmin } from './harness.ts';

const state: Work = {
  server: { connections_active: 1, total_requests: 2 },
  database: { reachable: true },
  processes: [{ pid: 7, heapUsed: 3 * 1024 ** 2, rss: 64 * 1024 ** 2 }],
  measured: [],
  fault: null,
};
const work: StatusOptions = { status: async () => state, notReady: () => null };

async function open(overrides: Partial<StatusOptions> = {}) {
  const { log, store } = await openAdmin();
  const version = { sluice: '0.1.0', kong: '3.9.1' };
  const app = createStatus({ ...work, ...overrides, version, log, store, nodeId: 'node', plugins: [], balancers: { byId: () => null } });
  return async (path: string, method = 'GET') => app.fetch(new Request(`http://localhost:8007${path}`, { method }));
}

describe.each(['status_listen', 'the Admin API'])('on %s', listener => {
  const opened = async (overrides: Partial<StatusOptions> = {}) => {
    if (listener === 'status_listen') return open(overrides);
    const api = await openAdmin({ ...work, ...overrides });
    return (path: string, method = 'GET') => api.send(method, path);
  };

  test('/status has the counters, the memory, the database and no fault', async () => {
    const response = await (await opened())('/status');
    expect([response.status, await response.json()]).toEqual([
      200,
      {
        server: { connections_active: 1, total_requests: 2 },
        database: { reachable: true },
        memory: {
          lua_shared_dicts: {},
          workers_lua_vms: [{ pid: 7, http_allocated_gc: '3.00 MiB', resident: '64.00 MiB' }],
        },
        fault: null,
      },
    ]);
  });

  test('/status says why the newest configuration is not served', async () => {
    const response = await (await opened({ status: async () => ({ ...state, fault: 'route r: bad regex' }) }))('/status');
    expect(await response.json()).toEqual(expect.objectContaining({ fault: 'route r: bad regex' }));
  });

  test.each([
    ['unit=b', /^\d+$/],
    ['unit=k&scale=0', /^\d+ KiB$/],
    ['unit=G&scale=3', /^\d+\.\d{3} GiB$/],
  ])('/status?%s', async (query, size) => {
    const { memory } = JSON.parse(await (await (await opened())(`/status?${query}`)).text());
    expect(String(memory.workers_lua_vms[0].resident)).toMatch(size);
  });

  test.each([
    ['unit=x', `invalid unit 'x' (expected 'k/K', 'm/M', or 'g/G')`],
    ['scale=-1', 'scale must be equal or greater than 0'],
  ])('/status?%s is refused', async (query, message) => {
    const response = await (await opened())(`/status?${query}`);
    expect([response.status, await response.json()]).toEqual([400, { message }]);
  });

  test('/status/ready follows the gateway', async () => {
    const ready = await (await opened())('/status/ready');
    expect([ready.status, await ready.json()]).toEqual([200, { message: 'ready' }]);
    const starting = await (await opened({ notReady: () => 'no configuration available' }))('/status/ready');
    expect([starting.status, await starting.json()]).toEqual([503, { message: 'no configuration available' }]);
  });
});

test('status_listen has nothing else', async () => {
  const send = await open();
  expect((await send('/services')).status).toBe(404);
  expect((await send('/')).status).toBe(404);
  expect((await send('/status', 'POST')).status).toBe(405);
});
