import { describe, expect, test } from 'bun:test';
import { consumer } from '../../src/entities/consumer.ts';
import type { Row } from '../../src/entities/entity.ts';
import { EntityError } from '../../src/entities/entity-error.ts';
import { route } from '../../src/entities/route.ts';
import { service } from '../../src/entities/service.ts';
import { readDeclarative, writeDeclarative } from '../../src/store/declarative.ts';
import type { DeclarativeError } from '../../src/store/declarative-error.ts';
import { openStore } from '../../src/store/memory.ts';
import type { Store } from '../../src/store/store.ts';
import { entities, id, insert, plugin, pluginRow, routeRow, serviceRow } from './rows.ts';

const file = (body: string) => `_format_version: "3.0"\n${body}`;

const environment = { DECK_HOST: 'api.test', DECK_PORT: '8080', DECK_LINES: 'one\n- two: "three"', HOME: '/root' };

async function load(store: Store, text: string, mode: 'merge' | 'replace' = 'replace') {
  const { writes } = await readDeclarative({ text, name: 'gateway.yaml', environment }, store, mode);
  await store.commit(store.stage(writes));
  return writes.map(({ kind, entity }) => `${kind} ${entity.name}`);
}

async function loaded(text: string): Promise<Store> {
  const store = await openStore(entities);
  await load(store, text);
  return store;
}

async function refusal(text: string): Promise<EntityError> {
  try {
    await loaded(text);
  } catch (error) {
    if (error instanceof EntityError) return error;
    throw error;
  }
  throw new Error('the file was not refused');
}

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

describe('refuses', () => {
  test.each<[string, string, string, object]>([
    ['a file without version', 'services: []', '1: _format_version: required field missing', { _format_version: 'required field missing' }],
    [
      'a version that is a number',
      '_format_version: 3.0',
      '1: _format_version: expected a string',
      { _format_version: 'expected a string' },
    ],
    [
      'a version that is not known',
      '# comment\n_format_version: "9"',
      '2: _format_version: expected one of: 1.1, 2.1, 3.0',
      { _format_version: 'expected one of: 1.1, 2.1, 3.0' },
    ],
    ['an unknown section', file('servces: []'), '2: servces: unknown field', { servces: 'unknown field' }],
    ['a section that is no list', file('services: {a: b}'), '2: services: expected an array', { services: 'expected an array' }],
    ['an entry that is no record', file('services:\n- x'), '3: services: expected a record', { services: ['expected a record'] }],
    [
      'a field that is not known',
      file('services:\n- name: a\n  host: h.test\n- name: b\n  host: h.test\n  hots: x'),
      "7: services 'b': hots: unknown field",
      { services: [null, { hots: 'unknown field' }] },
    ],
    [
      'a wrong value, deep inside',
      file('services:\n- name: a\n  host: h.test\n  routes:\n  - paths:\n    - /ok\n    - nope'),
      '8: entry 1 of routes: paths.1: should start with: / (fixed path) or ~/ (regex path)',
      { services: [{ routes: [{ paths: [null, 'should start with: / (fixed path) or ~/ (regex path)'] }] }] },
    ],
    [
      'a missing value, at the line of the entry',
      file('\nservices:\n- name: a'),
      "4: services 'a': host: required field missing",
      { services: [{ host: 'required field missing' }] },
    ],
    [
      'a check across fields',
      file('consumers:\n- tags: [x]'),
      "3: entry 1 of consumers: at least one of these fields must be non-empty: 'custom_id', 'username'",
      { consumers: [{ '@entity': ["at least one of these fields must be non-empty: 'custom_id', 'username'"] }] },
    ],
    [
      'a reference that leads nowhere',
      file('routes:\n- name: r\n  paths: [/]\n  service: nowhere'),
      "5: routes 'r': service: invalid reference 'service: nowhere' (no such entry in 'services')",
      { routes: [{ service: "invalid reference 'service: nowhere' (no such entry in 'services')" }] },
    ],
    [
      'a nested entry that belongs elsewhere',
      file('services:\n- {name: a, host: h.test}\n- name: b\n  host: h.test\n  routes:\n  - {name: r, paths: [/], service: a}'),
      "7: routes 'r': service: value must be null, or the entry around this one",
      { services: [null, { routes: [{ service: 'value must be null, or the entry around this one' }] }] },
    ],
    [
      'the same name twice',
      file('services:\n- {name: a, host: h.test}\n- {name: a, host: i.test}'),
      "4: services 'a': uniqueness violation: 'services' entity with name set to 'a' already declared",
      { services: [null, "uniqueness violation: 'services' entity with name set to 'a' already declared"] },
    ],
    [
      'the same plugin twice',
      file('plugins:\n- name: limiter\n- name: limiter'),
      "4: plugins 'limiter': uniqueness violation: 'plugins' entity with name, route, service, consumer, consumer_group set to 'limiter, , , , ' already declared",
      {
        plugins: [
          null,
          "uniqueness violation: 'plugins' entity with name, route, service, consumer, consumer_group set to 'limiter, , , , ' already declared",
        ],
      },
    ],
    [
      'a plugin that is not enabled',
      file('plugins:\n- name: nope'),
      "3: plugins 'nope': name: plugin 'nope' not enabled; add it to the 'plugins' configuration property",
      { plugins: [{ name: "plugin 'nope' not enabled; add it to the 'plugins' configuration property" }] },
    ],
    [
      'a plugin configured wrongly',
      file('plugins:\n- name: limiter\n  config:\n    limit: many'),
      "5: plugins 'limiter': config.limit: expected an integer",
      { plugins: [{ config: { limit: 'expected an integer' } }] },
    ],
    [
      'duplicate keys',
      file('services:\n- name: a\n  name: b'),
      '4:3: Map keys must be unique',
      { error: 'failed parsing declarative configuration: gateway.yaml:4:3: Map keys must be unique' },
    ],
    ['what is no object', 'services', '1: expected an object', {}],
  ])('%s', async (_, text, message, fields) => {
    const error = await refusal(text);
    expect(error.message).toBe(`gateway.yaml:${message}`);
    expect(error.code).toBe(14);
    expect(error.fields).toEqual(fields as never);
  });

  test.each([
    ['bad syntax', 'services: [', '2:12: Flow sequence in block collection must be sufficiently indented and end with a ]'],
    ['a tab for indentation', 'services:\n\t- name: a', '3:1: Tabs are not allowed as indentation'],
    ['a comment that is no text', 'services:\n- {name: a, host: h, _comment: 1}', '3: _comment: expected a string'],
    ['remarks that are no list', '_ignore: x', '2: _ignore: expected an array'],
    ['_transform that is no boolean', '_transform: "no"', '2: _transform: expected a boolean'],
    ['what is for Konnect', '_konnect: {control_plane_name: x}', '2: _konnect: a configuration of Konnect is not one of a gateway'],
    ['another workspace', '_workspace: other', "2: _workspace: there is no workspace but 'default'"],
    ['information that is no record', '_info: x', '2: _info: expected a record'],
    ['information that is not known', '_info: {tags: [x]}', '2: _info.tags: unknown field'],
    ['tags of decK that are none', '_info: {select_tags: x}', '2: _info.select_tags: expected an array of strings'],
    ['defaults for what is no entity', '_info: {defaults: {sevice: {}}}', '2: _info.defaults.sevice: unknown field'],
    ['defaults for what is no field', '_info:\n  defaults:\n    service:\n      prot: x', '5: _info.defaults.service.prot: unknown field'],
    [
      'a shared configuration that is not there',
      'plugins:\n- name: limiter\n  _config: most',
      '4: plugins \'limiter\': _config: there is no record "most" in _plugin_configs',
    ],
    ['a variable that is not set', `consumers:\n- custom_id: $\{{ env "DECK_ID" }}`, "3: environment variable 'DECK_ID' is not set"],
    [
      'a variable of others',
      `consumers:\n- custom_id: $\{{ env "HOME" }}`,
      "3: the name of an environment variable must begin with DECK_, not 'HOME'",
    ],
    ['a template without end', `consumers:\n- custom_id: $\{{ env "DECK_HOST" }`, '3: a template has no end: }} is missing'],
    ['a template that is none', `consumers:\n- custom_id: $\{{ env DECK_HOST }}`, `3: not a template of decK: \${{ env DECK_HOST }}`],
    [
      'a conversion that there is not',
      `consumers:\n- custom_id: $\{{ env "DECK_HOST" | upper }}`,
      "3: templates have no 'upper', only toInt, toFloat, toBool, indent",
    ],
    [
      'a value that is no number',
      `services:\n- port: $\{{ env "DECK_HOST" | toInt }}`,
      "3: environment variable 'DECK_HOST' does not suit toInt",
    ],
    [
      'a group that there is not',
      'consumers:\n- username: ann\n  groups:\n  - name: gold',
      "5: entry 1 of consumer_group_consumers: consumer_group: invalid reference 'consumer_group: gold' (no such entry in 'consumer_groups')",
    ],
    [
      'a list of what there is not',
      `services:\n- name: a\n  host: h\ntest_clients:\n- name: c\n  trusted: ["${id(7)}"]`,
      `7: test_clients 'c': trusted.0: invalid reference '${id(7)}' (no such entry in 'test_anchors')`,
    ],
  ])('%s', async (_, body, message) => {
    expect((await refusal(file(body))).message).toBe(`gateway.yaml:${message}`);
  });

  test('everything at once, a line each', async () => {
    const { message } = await refusal('_format_version: "1"\nservices:\n- {name: 5}\nnope: 1');
    expect(message.split('\n').map(line => line.split(' ')[0])).toEqual([
      'gateway.yaml:1:',
      'gateway.yaml:4:',
      'gateway.yaml:3:',
      'gateway.yaml:3:',
    ]);
  });

  test('no more than twenty lines of it', async () => {
    const { message } = await refusal(file(`services:\n${'- {}\n'.repeat(25)}`));
    expect(message.split('\n').length).toBe(21);
    expect(message).toEndWith('\nand 5 more');
  });
});

test('what only shows when a row is put to work is told of its entry', async () => {
  const store = await openStore(entities);
  const text = file('services:\n- name: s\n  host: h\n  plugins:\n  - name: limiter\n    config:\n      limit: 3');
  const { writes, blame } = await readDeclarative({ text, name: 'gateway.yaml', environment }, store, 'replace');
  const row = writes.find(({ entity }) => entity === plugin) as { readonly row: Row };
  expect(() => blame(row.row.id, ['config', 'limit'], 'too few')).toThrow("gateway.yaml:8: plugins 'limiter': config.limit: too few");
  expect(() => blame(id(9), [], 'not ours')).not.toThrow();
});

test('an import may not take the unique value of a row that stays', async () => {
  const store = await openStore(entities);
  await store.commit(store.stage([insert(service, serviceRow(1, { name: 'one' }))]));
  const text = file(`services:\n- {id: "${id(2)}", name: one, host: h}`);
  expect(load(store, text, 'merge')).rejects.toThrow(
    `gateway.yaml:3: services 'one': uniqueness violation: 'services' entity with name set to 'one' is there already, with the id ${id(1)}`,
  );
});

test('each entry that is wrong is told as Kong tells it, those around it by the ids they say', async () => {
  const text = file(`nope: 1
services:
- id: "${id(1)}"
  name: s
  tags: [t]
  routes:
  - {name: r, paths: [/a, b], methods: [get]}
consumers:
- tags: [t]`);
  const error = (await refusal(text)) as DeclarativeError;
  expect(error.others).toEqual({ nope: 'unknown field' });
  expect(error.flattened).toEqual([
    {
      entity_type: 'service',
      entity_id: id(1),
      entity_name: 's',
      entity_tags: ['t'],
      entity: { id: id(1), name: 's', tags: ['t'] },
      errors: [{ type: 'field', field: 'host', message: 'required field missing' }],
    },
    {
      entity_type: 'route',
      entity_name: 'r',
      entity: { name: 'r', paths: ['/a', 'b'], methods: ['get'], service: { id: id(1) } },
      errors: [
        { type: 'field', field: 'methods.1', message: 'invalid value: get' },
        { type: 'field', field: 'paths.2', message: 'should start with: / (fixed path) or ~/ (regex path)' },
      ],
    },
    {
      entity_type: 'consumer',
      entity_tags: ['t'],
      entity: { tags: ['t'] },
      errors: [{ type: 'entity', message: "at least one of these fields must be non-empty: 'custom_id', 'username'" }],
    },
  ]);
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
