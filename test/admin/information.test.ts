import { expect, test } from 'bun:test';
import { hostname } from 'node:os';
import { encodings, openAdmin } from './harness.ts';

const PLUGIN = { name: 'sample', config: { route_type: 'llm/v1/chat', model: { provider: 'openai' } } };

test('/ says what this is and which plugins there are', async () => {
  const api = await openAdmin();
  await api.send('POST', '/plugins', ...encodings.json(PLUGIN));
  expect(await api.get('/')).toEqual({
    tagline: 'Welcome to sluice',
    version: '3.9.1',
    edition: 'community',
    sluice: { version: '0.1.0' },
    hostname: hostname(),
    node_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
    pids: { master: process.pid, workers: [process.pid] },
    plugins: { available_on_server: { sample: { version: '3.9.1', priority: 770 } }, enabled_in_cluster: ['sample'] },
    configuration: { admin_listen: '127.0.0.1:8001', log_level: 'notice' },
  });
  expect(await api.get('/plugins/enabled')).toEqual({ enabled_plugins: ['sample'] });
});

test('/ tells the log level of this moment', async () => {
  const api = await openAdmin();
  await api.send('PUT', '/debug/node/log-level/debug');
  expect((await api.get('/')).configuration.log_level).toBe('debug');
});

test('/endpoints lists every path, itself included, segment by segment', async () => {
  const { data } = await (await openAdmin()).get('/endpoints');
  expect(data).toEqual(
    expect.arrayContaining(['/', '/endpoints', '/services/{services}/routes/{routes}', '/routes/{routes}/service', '/status']),
  );
  expect(data.indexOf('/plugins/{plugins}/route')).toBeLessThan(data.indexOf('/routes'));
  expect(new Set(data).size).toBe(data.length);
});
