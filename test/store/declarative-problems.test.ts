import { describe, expect, test } from 'bun:test';
import type { Row } from '../../src/entities/entity.ts';
import { EntityError } from '../../src/entities/entity-error.ts';
import { service } from '../../src/entities/service.ts';
import { readDeclarative } from '../../src/store/declarative.ts';
import type { DeclarativeError } from '../../src/store/declarative-error.ts';
import { openStore } from '../../src/store/memory.ts';
import { environment, file, load, loaded } from './loading.ts';
import { entities, id, insert, plugin, serviceRow } from './rows.ts';

async function refusal(text: string): Promise<EntityError> {
  try {
    await loaded(text);
  } catch (error) {
    if (error instanceof EntityError) return error;
    throw error;
  }
  throw new Error('the file was not refused');
}

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
