import { describe, expect, test } from 'bun:test';
import { consumer } from '../../src/entities/consumer.ts';
import type { Row } from '../../src/entities/entity.ts';
import { route } from '../../src/entities/route.ts';
import { service } from '../../src/entities/service.ts';
import { writeDeclarative } from '../../src/store/declarative.ts';
import { openStore } from '../../src/store/memory.ts';
import { file, load, loaded } from './loading.ts';
import { entities, id, insert, plugin, pluginRow, routeRow, serviceRow } from './rows.ts';

const nested = file(`
_transform: true
_comment: what people read
_info: { select_tags: [x] }
services:
- name: chat
  host: api.test
  tags: [a]
  _comment: more to read
  routes:
  - name: chat-route
    paths: [/chat]
    plugins:
    - name: limiter
      config: { limit: 3 }
  plugins:
  - name: limiter
consumers:
- username: ann
  plugins:
  - name: limiter
    route: chat-route
plugins:
- name: limiter
`);

describe('a declarative file', () => {
  test('becomes whole rows, however deep they are nested', async () => {
    const store = await loaded(nested);
    const chat = store.find(service, 'chat');
    const through = store.find(route, 'chat-route');
    const ann = store.find(consumer, 'ann');
    expect(chat).toMatchObject({ host: 'api.test', port: 80, retries: 5, tags: ['a', 'x'], path: null });
    expect(through).toMatchObject({ service: { id: chat?.id }, paths: ['/chat'] });
    const scopes = [...store.all(plugin)].map(row => [row.route?.id, row.service?.id, row.consumer?.id, row.config]);
    expect(scopes).toContainAllValues([
      [through?.id, undefined, undefined, { limit: 3, note: null }],
      [undefined, chat?.id, undefined, { limit: 10, note: null }],
      [through?.id, undefined, ann?.id, { limit: 10, note: null }],
      [undefined, undefined, undefined, { limit: 10, note: null }],
    ]);
  });

  test.each([
    ['its name', 'chat'],
    ['its name in a record', '{ name: chat }'],
    ['its id', `"${id(1)}"`],
    ['its id in a record', `{ id: "${id(1)}" }`],
  ])('may point at an entry by %s', async (_, reference) => {
    const store = await loaded(
      file(`routes:\n- name: r\n  paths: [/]\n  service: ${reference}\nservices:\n- {id: "${id(1)}", name: chat, host: h.test}`),
    );
    expect(store.find(route, 'r')?.service).toEqual({ id: id(1) });
  });

  test('may be JSON, or say nothing', async () => {
    const store = await loaded('{"_format_version": "2.1", "services": [{"name": "a", "host": "h.test"}], "routes": null}');
    expect(store.find(service, 'a')?.host).toBe('h.test');
    expect(await load(store, file(''))).toEqual(['remove services']);
  });

  test('gives entries the ids that Kong gives them', async () => {
    const namespace = Bun.randomUUIDv5('services', 'fd02801f-0957-4a15-a55a-c8d9606f30b5');
    expect((await loaded(nested)).find(service, 'chat')?.id).toBe(Bun.randomUUIDv5('chat', namespace));
  });

  test('of before format 3.0 has its regular expressions marked and its paths decoded', async () => {
    const body = `routes:\n- name: r\n  paths: ['/a/\\d+', /b%63, '~/d']`;
    expect((await loaded(`_format_version: "2.1"\n${body}`)).find(route, 'r')?.paths).toEqual(['~/a/\\d+', '/bc', '~/d']);
  });
});

describe('loading', () => {
  test('what is nested in a route of an older format is its own', async () => {
    const store = await loaded('_format_version: "1.1"\nroutes:\n- {name: r, paths: ["/a|b"], plugins: [{name: limiter}]}');
    const through = store.find(route, 'r');
    expect(through?.paths).toEqual(['~/a|b']);
    expect([...store.all(plugin)].map(row => row.route?.id)).toEqual([through?.id]);
  });

  test('an unnamed entry keeps the time of its birth', async () => {
    const store = await loaded(file('routes:\n- paths: [/a]'));
    const [born] = store.all(route);
    await store.commit(store.stage([{ kind: 'replace', entity: route, row: { ...born, created_at: 1, updated_at: 1 } as Row }]));
    expect(await load(store, file('routes:\n- paths: [/a]'))).toEqual([]);
  });

  test('the select_tags of decK are on every entry, those of its own first', async () => {
    const text = file('_info: {select_tags: [x, a]}\nservices:\n- {name: s, host: h, tags: [a], routes: [{name: r, paths: [/r]}]}');
    const store = await loaded(text);
    expect([...store.all(service)].map(({ tags }) => tags)).toEqual([['a', 'x']]);
    expect([...store.all(route)].map(({ tags }) => tags)).toEqual([['x', 'a']]);
  });

  test('the same file again writes nothing, unnamed entries included', async () => {
    const text = file('routes:\n- paths: [/a]\n- paths: [/a]\n- paths: [/b]\n  plugins:\n  - name: limiter\nconsumers:\n- custom_id: c1');
    const store = await loaded(text);
    expect(await load(store, text)).toEqual([]);
  });

  test('a changed file writes what changed, keeps ids and birthdays, and removes what is gone', async () => {
    const store = await openStore(entities);
    await store.commit(store.stage([insert(service, serviceRow(1, { name: 'chat' })), insert(service, serviceRow(2, { name: 'gone' }))]));
    await store.commit(store.stage([insert(route, routeRow(3, { name: 'moves', service: { id: id(2) } }))]));
    const kinds = await load(
      store,
      file('services:\n- name: chat\n  host: new.test\n- name: more\n  host: h.test\n  routes:\n  - {name: moves, paths: [/3]}'),
    );
    expect(kinds).toEqual(['replace services', 'insert services', 'replace routes', 'remove services']);
    expect(store.find(service, 'chat')).toMatchObject({ id: id(1), host: 'new.test', created_at: 1 });
    expect(store.find(service, 'chat')?.updated_at).toBeGreaterThan(1);
    expect(store.find(service, 'gone')).toBeUndefined();
  });

  test('a file may hand a name from a row that goes to one with another id', async () => {
    const store = await openStore(entities);
    await store.commit(store.stage([insert(service, serviceRow(1, { name: 'chat' }))]));
    await load(store, file(`services:\n- {id: "${id(2)}", name: chat, host: h.test}`));
    expect([...store.all(service)].map(row => row.id)).toEqual([id(2)]);
  });

  test('an import adds and replaces, removes nothing, and may point at rows of the store', async () => {
    const store = await openStore(entities);
    await store.commit(store.stage([insert(service, serviceRow(1, { name: 'one' })), insert(plugin, pluginRow(4))]));
    const text = file('routes:\n- name: r\n  paths: [/]\n  service: one\nplugins:\n- name: limiter\n  config: {limit: 7}');
    expect(await load(store, text, 'merge')).toEqual(['insert routes', 'replace plugins']);
    expect(store.find(route, 'r')?.service).toEqual({ id: id(1) });
    expect([...store.all(plugin)].map(row => [row.id, row.config])).toEqual([[id(4), { limit: 7, note: null }]]);
    expect(await load(store, text, 'merge')).toEqual([]);
  });

  test('a whole configuration may not point at rows that only the store has', async () => {
    const store = await openStore(entities);
    await store.commit(store.stage([insert(service, serviceRow(1, { name: 'one' }))]));
    expect(load(store, file('routes:\n- {name: r, paths: [/], service: one}'))).rejects.toThrow("(no such entry in 'services')");
  });
});

describe('an exported file', () => {
  test('gives the same rows when it is imported again', async () => {
    const store = await loaded(nested);
    await store.commit(
      store.stage([
        insert(service, serviceRow(1, { retries: null, path: '/yes', tags: ['no', '1.0'] })),
        insert(route, routeRow(2, { headers: { 'x-a': ['1'] }, methods: ['GET'], service: { id: id(1) } })),
        insert(plugin, pluginRow(3, { service: { id: id(1) } })),
      ]),
    );
    const text = writeDeclarative(store);
    const again = await loaded(text);
    for (const entity of entities)
      expect(new Map([...again.all(entity)].map(row => [row.id, row]))).toEqual(new Map([...store.all(entity)].map(row => [row.id, row])));
    expect(writeDeclarative(again)).toBe(text);
    expect(await load(store, text, 'merge')).toEqual([]);
  });

  test('leaves out what goes without saying', async () => {
    const store = await openStore(entities);
    await store.commit(store.stage([insert(route, routeRow(2, { name: 'r', regex_priority: null }))]));
    expect(writeDeclarative(store)).toStartWith(`_format_version: "3.0"
_transform: false
routes:
  - id: ${id(2)}
    created_at: 1
    updated_at: 1
    name: r
`);
    expect(writeDeclarative(store)).toContain('regex_priority: null');
    expect(writeDeclarative(store)).not.toContain('hosts');
  });
});
