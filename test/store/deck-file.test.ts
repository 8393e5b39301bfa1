import { describe, expect, test } from 'bun:test';
import { consumer } from '../../src/entities/consumer.ts';
import { consumerGroup } from '../../src/entities/consumer-group.ts';
import { consumerGroupConsumer } from '../../src/entities/consumer-group-consumer.ts';
import { route } from '../../src/entities/route.ts';
import { service } from '../../src/entities/service.ts';
import { readDeclarative } from '../../src/store/declarative.ts';
import { openStore } from '../../src/store/memory.ts';
import type { Store } from '../../src/store/store.ts';
import { consumerRow, entities, id, insert, plugin } from './rows.ts';

const environment = {
  DECK_HOST: 'api.test',
  DECK_PORT: '8080',
  DECK_FLAG: 'T',
  DECK_HEADER: 'x-team',
  DECK_EMPTY: '',
  DECK_WORD: 'yes',
  DECK_LINES: 'one: [\n- two: "three" #',
  DECK_MARKS: '\ue000' + '0\ue000',
};

async function load(body: string, store: Store, mode: 'merge' | 'replace' = 'replace') {
  const { writes } = await readDeclarative({ text: `_format_version: "3.0"\n${body}`, name: 'kong.yaml', environment }, store, mode);
  await store.commit(store.stage(writes));
  return writes.map(({ kind, entity }) => `${kind} ${entity.name}`);
}

async function loaded(body: string): Promise<Store> {
  const store = await openStore(entities);
  await load(body, store);
  return store;
}

describe('a template of decK', () => {
  const filled = async (value: string, field = 'note') => {
    const store = await loaded(`plugins:\n- name: limiter\n  config:\n    ${field}: ${value}`);
    const [row] = store.all(plugin);
    return row?.config[field];
  };

  test.each<[string, string, unknown]>([
    ['alone', `\${{ env "DECK_HOST" }}`, 'api.test'],
    ['within double quotes, whose own it is not', `"\${{ env "DECK_HOST" }}"`, 'api.test'],
    ['within double quotes, escaped', `"\${{ env \\"DECK_HOST\\" }}"`, 'api.test'],
    ['within single quotes', `'\${{ env "DECK_HOST" }}'`, 'api.test'],
    ['with backquotes', `\${{ env \`DECK_HOST\` }}`, 'api.test'],
    ['that trims', `\${{- env "DECK_HOST" -}}`, 'api.test'],
    ['within a longer text', `https://\${{ env "DECK_HOST" }}:\${{ env "DECK_PORT" }}/v1`, 'https://api.test:8080/v1'],
    ['of a number within quotes', `"\${{ env "DECK_PORT" }}"`, '8080'],
    ['of a word that is no boolean here', `\${{ env "DECK_WORD" }}`, 'yes'],
    ['of nothing', `\${{ env "DECK_EMPTY" }}`, null],
    ['of nothing within quotes', `"a\${{ env "DECK_EMPTY" }}"`, 'a'],
    ['of what would be more than a text', `\${{ env "DECK_LINES" }}`, environment.DECK_LINES],
    ['of what looks like the mark of a template', `\${{ env "DECK_MARKS" }}`, environment.DECK_MARKS],
    ['of lines in a block', `|-\n      \${{ env "DECK_LINES" | indent 6 }}`, environment.DECK_LINES],
    ['beside another language of templates', `\${{ steps.x }} {{ y }} $(z)`, `\${{ steps.x }} {{ y }} $(z)`],
  ])('%s', async (_, value, expected) => {
    expect(await filled(value)).toBe(expected as string);
  });

  test.each<[string, string]>([
    ['without quotes', `\${{ env "DECK_PORT" }}`],
    ['by its own word', `\${{ env "DECK_PORT" | toInt }}`],
    ['with a sign before it', `+\${{ env "DECK_PORT" | toFloat }}`],
  ])('gives a number %s', async (_, value) => {
    expect(await filled(value, 'limit')).toBe(8080);
  });

  test('stands in lists, in JSON, in names; in comments nobody asks for it', async () => {
    const store = await loaded(`# \${{ env "DECK_GONE" }}
services: [{"name": "\${{ env "DECK_HOST" }}", "host": "h", "port": \${{ env "DECK_PORT" }}, enabled: \${{ env "DECK_FLAG" | toBool }}}]
routes: [{name: r, paths: [/], headers: {"\${{ env "DECK_HEADER" }}": [x]}}]`);
    expect(store.find(service, 'api.test')).toMatchObject({ port: 8080, enabled: true });
    expect(store.find(route, 'r')?.headers).toEqual({ 'x-team': ['x'] });
  });

  test('is refused in a text that somebody sends', async () => {
    const store = await openStore(entities);
    const text = `_format_version: "3.0"\nconsumers:\n- username: \${{ env "DECK_HOST" }}`;
    expect(readDeclarative({ text, name: 'config', environment: null }, store, 'replace')).rejects.toThrow(
      "config:3: environment variable 'DECK_HOST' is only read for files: write the value, or {vault://env/NAME} in place of all of it",
    );
  });
});

describe('what decK says for many entries', () => {
  test('defaults fill what entries leave out, at any depth', async () => {
    const store = await loaded(`_info:
  defaults:
    service: {retries: 1, protocol: https, port: 443, tags: [given]}
    route: {paths: [/default], strip_path: false}
services:
- {name: a, host: h, retries: 2}
- {name: b, host: h, retries: null, tags: [own], routes: [{name: r}]}
- {name: c, url: "http://u.test/p"}`);
    expect(store.find(service, 'a')).toMatchObject({ retries: 2, protocol: 'https', port: 443, tags: ['given'] });
    expect(store.find(service, 'b')).toMatchObject({ retries: 1, tags: ['own'] });
    expect(store.find(service, 'c')).toMatchObject({ protocol: 'http', host: 'u.test', port: 80, path: '/p', retries: 1 });
    expect(store.find(route, 'r')).toMatchObject({ paths: ['/default'], strip_path: false });
  });

  test('plugins share a configuration, and their own wins', async () => {
    const store = await loaded(`_workspace: default
_plugin_configs: {few: {limit: 3, note: shared}}
plugins:
- {name: limiter, _config: few, config: {note: own}}
consumers:
- {username: ann, plugins: [{name: limiter, _config: few}]}`);
    const configs = [...store.all(plugin)].map(({ consumer: owner, config }) => [owner !== null, config]);
    expect(configs).toContainAllValues([
      [false, { limit: 3, note: 'own' }],
      [true, { limit: 3, note: 'shared' }],
    ]);
  });
});

describe('members of groups', () => {
  const members = (store: Store) =>
    [...store.all(consumerGroupConsumer)].map(row => [
      store.find(consumerGroup, row.consumer_group.id)?.name,
      store.find(consumer, row.consumer.id)?.username,
    ]);

  test.each<[string, string]>([
    ['below the consumer', 'consumers: [{username: ann, groups: [{name: gold}]}]\nconsumer_groups: [{name: gold}]'],
    ['below the group', 'consumers: [{username: ann}]\nconsumer_groups: [{name: gold, consumers: [{username: ann}]}]'],
    ['below the group alone', 'consumer_groups: [{name: gold, consumers: [{username: ann}]}]'],
    ['below two groups', 'consumer_groups: [{name: gold, consumers: [{username: ann}]}, {name: b, consumers: []}]'],
    ['below both', 'consumers: [{username: ann, groups: [{name: gold}]}]\nconsumer_groups: [{name: gold, consumers: [{username: ann}]}]'],
    [
      'in a section of their own',
      'consumers: [{username: ann}]\nconsumer_groups: [{name: gold}]\nconsumer_group_consumers: [{consumer: ann, consumer_group: {name: gold}}]',
    ],
    [
      'nested as Kong nests',
      'consumers: [{username: ann, consumer_group_consumers: [{consumer_group: gold}]}]\nconsumer_groups: [{name: gold}]',
    ],
  ])('stand %s', async (_, body) => {
    const store = await loaded(body);
    expect(members(store)).toEqual([['gold', 'ann']]);
    expect(await load(body, store)).toEqual([]);
  });

  test('a consumer of the store is not written again because a group has it', async () => {
    const store = await openStore(entities);
    await store.commit(store.stage([insert(consumer, consumerRow(1, { username: 'ann', custom_id: 'a' }))]));
    expect(await load('consumer_groups: [{name: gold, consumers: [{username: ann}]}]', store, 'merge')).toEqual([
      'insert consumer_groups',
      'insert consumer_group_consumers',
    ]);
    expect(store.find(consumer, id(1))?.custom_id).toBe('a');
  });

  test('plugins of a group are nested in it', async () => {
    const store = await loaded('consumer_groups: [{name: gold, plugins: [{name: limiter}]}]');
    expect([...store.all(plugin)].map(row => row.consumer_group?.id)).toEqual([store.find(consumerGroup, 'gold')?.id]);
  });
});
