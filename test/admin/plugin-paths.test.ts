import { expect, test } from 'bun:test';
import { createApp } from '../../src/admin/app.ts';
import { pluginEndpoints } from '../../src/admin/plugin-paths.ts';
import { entitiesOf } from '../../src/gateway/entities.ts';
import { openGateway } from '../../src/gateway/gateway.ts';
import { definePlugin } from '../../src/plugins/plugin.ts';
import { record, string } from '../../src/schema/field.ts';
import { openStore } from '../../src/store/memory.ts';
import { pluginRow } from '../gateway/rows.ts';
import { recordingLog } from '../support/recording-log.ts';

const ROWS = ['11111111-1111-4111-8111-111111111111', '22222222-2222-4222-8222-222222222222'] as const;

/** It knows what its configuration says, and tells who asks for it; silence is no answer. */
const oracle = definePlugin({
  name: 'oracle',
  priority: 1,
  config: record({ knows: string() }, { required: true }),
  adminPaths: [
    {
      path: '/oracle',
      methods: { GET: async (_, ask) => ({ status: 200, body: [...(await ask('all'))] }), DELETE: async () => ({ status: 204 }) },
    },
    {
      path: '/oracle/:row/about/:what',
      methods: {
        GET: async ({ row = '', what = '' }, ask) => {
          const [answer] = await ask(what, row);
          return answer === undefined ? { status: 404, body: { message: 'Not found' } } : { status: 200, body: answer };
        },
      },
    },
  ],
  configure: ({ knows }) => ({ answer: question => (knows === null ? null : { [String(question)]: knows }) }),
});
const mute = definePlugin({
  name: 'mute',
  priority: 1,
  config: record({}, { required: true }),
  configure: () => ({ answer: () => 'never' }),
});

async function openApp(knowledge: readonly (string | null)[]) {
  const plugins = [oracle, mute];
  const { log } = recordingLog();
  const store = await openStore(entitiesOf(plugins));
  const gateway = await openGateway({ store, plugins, log, prefix: '.' });
  const entity = store.entities.get('plugins');
  if (entity === undefined) throw new Error('no plugins');
  const about = ROWS.map(id => ({ id }));
  const rows = [
    ...knowledge.map((knows, index) =>
      pluginRow({ id: ROWS[index] ?? '', name: 'oracle', consumer: about[index] ?? null, config: { knows } }),
    ),
    pluginRow({ id: '33333333-3333-4333-8333-333333333333', name: 'mute' }),
  ];
  await gateway.follow(rows.map(row => ({ entity, id: row.id, row })));
  const app = createApp(
    pluginEndpoints(plugins, async question => gateway.ask(question)),
    { version: '1', log },
  );
  return async (method: string, path: string) => {
    const response = await app.fetch(new Request(`http://localhost${path}`, { method }));
    const text = await response.text();
    return [response.status, text === '' ? null : JSON.parse(text)];
  };
}

test('all configurations of the plugin are asked, and no others', async () => {
  const send = await openApp(['tea', 'rain']);
  expect(await send('GET', '/oracle')).toEqual([200, [{ all: 'tea' }, { all: 'rain' }]]);
});

test('that of one row is asked alone', async () => {
  const send = await openApp(['tea', 'rain']);
  expect(await send('GET', `/oracle/${ROWS[1]}/about/to%20come`)).toEqual([200, { 'to come': 'rain' }]);
  expect(await send('GET', '/oracle/33333333-3333-4333-8333-333333333333/about/it')).toEqual([404, { message: 'Not found' }]);
});

test('what has nothing to say is left out', async () => {
  const send = await openApp([null, 'rain']);
  expect(await send('GET', '/oracle')).toEqual([200, [{ all: 'rain' }]]);
});

test('an answer need not have a body, and other methods are not allowed', async () => {
  const send = await openApp([]);
  expect(await send('DELETE', '/oracle')).toEqual([204, null]);
  expect(await send('POST', '/oracle')).toEqual([405, { message: 'Method not allowed' }]);
});
