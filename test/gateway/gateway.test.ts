import { afterEach, describe, expect, test } from 'bun:test';
import { consumer } from '../../src/entities/consumer.ts';
import type { Entity, Row } from '../../src/entities/entity.ts';
import { EntityError } from '../../src/entities/entity-error.ts';
import { type PluginRow, pluginEntity } from '../../src/entities/plugin-entity.ts';
import { type Route, route } from '../../src/entities/route.ts';
import { service } from '../../src/entities/service.ts';
import { type Gateway, openGateway } from '../../src/gateway/gateway.ts';
import { ConfigurationError } from '../../src/lib/configuration-error.ts';
import { LOG_LEVELS, type Log } from '../../src/lib/log.ts';
import { RequestFailure } from '../../src/lib/request-failure.ts';
import type { Context } from '../../src/plugins/context.ts';
import { definePlugin, type Host } from '../../src/plugins/plugin.ts';
import { array, record, string } from '../../src/schema/field.ts';
import { openStore } from '../../src/store/memory.ts';
import type { Change, Persistence, Write } from '../../src/store/store.ts';
import { pluginRow, requestTo, routeRow, serviceRow } from './rows.ts';

/** What the plugins of a test did, in order. */
let events: string[] = [];
let host: Host | undefined;
let open: Gateway[] = [];
afterEach(async () => {
  await Promise.all(open.map(gateway => gateway.close()));
  [events, open] = [[], []];
});

const speaker = definePlugin({
  name: 'speaker',
  priority: 10,
  config: record({ text: string({ required: true }), words: array(string()) }, { required: true }),
  configure(config, lent, { id }) {
    if (config.text === 'impossible') throw new ConfigurationError('cannot be said', 'text');
    host = lent;
    let spoken = 0;
    events.push(`open ${id}`);
    return {
      access: () => void events.push(`${config.text} ${++spoken}`),
      close: () => {
        if (config.text === 'stuck') throw new Error('cannot close');
        events.push(`close ${id}`);
      },
    };
  },
});
const PLUGINS = [speaker];
const plugin = pluginEntity(name => PLUGINS.find(known => known.name === name) ?? null);
const ENTITIES: readonly Entity[] = [service, route, consumer, plugin] as readonly Entity[];

const logged: string[] = [];
const log = Object.fromEntries(LOG_LEVELS.map(level => [level, (message: string) => void logged.push(message)])) as unknown as Log;

/** A database that others write to as well. */
class SharedDatabase implements Persistence {
  failing = false;
  unreadable = false;
  private rows: readonly (readonly [Entity, Row])[];
  private changed = () => {};

  constructor(rows: readonly (readonly [Entity, Row])[] = []) {
    this.rows = rows;
  }

  async load() {
    if (this.unreadable) throw new Error('permission denied');
    const groups = Map.groupBy(this.rows, ([entity]) => entity.name);
    return new Map([...groups].map(([name, group]) => [name, group.map(([, row]) => row)]));
  }

  async commit(changes: readonly Change[]) {
    if (this.failing) throw new EntityError('database error', 'disk full');
    const untouched = this.rows.filter(
      ([entity, row]) => !changes.some(change => change.id === row.id && change.entity.name === entity.name),
    );
    this.rows = [...untouched, ...changes.flatMap(({ entity, row }) => (row ? [[entity, row] as const] : []))];
  }

  watch(changed: () => void) {
    this.changed = changed;
    return () => {};
  }

  reachable() {
    return !this.unreadable;
  }

  async close() {}

  /** Somebody else's commit, seen. */
  async become(rows: readonly (readonly [Entity, Row])[]) {
    this.rows = rows;
    this.changed();
    await new Promise(setImmediate);
  }
}

async function start(rows: readonly (readonly [Entity, Row])[] = [], persistence?: Persistence) {
  const store = await openStore(ENTITIES, persistence);
  await store.commit(store.stage(rows.map(([entity, row]) => ({ kind: 'insert', entity, row }))));
  const gateway = await openGateway({ store, plugins: PLUGINS, log, prefix: '/var/lib/sluice' });
  open.push(gateway);
  return { store, gateway };
}

const insert = (entity: { readonly name: string }, row: Row): Write => ({ kind: 'insert', entity: entity as Entity, row });
const replace = (entity: { readonly name: string }, row: Row): Write => ({ kind: 'replace', entity: entity as Entity, row });
const remove = (entity: { readonly name: string }, id: string): Write => ({ kind: 'remove', entity: entity as Entity, id });
const says = (id: string, text: string, rest: Partial<PluginRow> = {}) =>
  pluginRow({ id, name: 'speaker', config: { text, words: null }, ...rest });

/** Runs the access phase of what matches, as the proxy would. */
function call(gateway: Gateway, path: string, run = true): string | null {
  const match = gateway.snapshot.match(requestTo(path));
  const plan = match?.target.plan ?? gateway.snapshot.unmatched;
  if (run) for (const slot of plan.access) slot.anyone?.({} as Context);
  return match?.target.route.id ?? null;
}

describe('the next request sees what was written', () => {
  test('routes come, change and go', async () => {
    const { gateway } = await start();
    await gateway.write([
      insert(service, serviceRow({ id: 's', host: 'one.test' })),
      insert(route, routeRow({ id: 'r', paths: ['/a'], service: { id: 's' } })),
    ]);
    expect(gateway.snapshot.match(requestTo('/a'))?.upstreamUrl).toBe('http://one.test/');
    await gateway.write([replace(service, serviceRow({ id: 's', host: 'two.test' }))]);
    expect(gateway.snapshot.match(requestTo('/a'))?.upstreamUrl).toBe('http://two.test/');
    await gateway.write([replace(route, routeRow({ id: 'r', paths: ['/b'], service: { id: 's' } }))]);
    expect([call(gateway, '/a'), call(gateway, '/b')]).toEqual([null, 'r']);
    await gateway.write([remove(route, 'r'), remove(service, 's')]);
    expect(call(gateway, '/b')).toBeNull();
  });

  test('a disabled service takes its routes out, and brings them back', async () => {
    const { gateway } = await start([
      [service as Entity, serviceRow({ id: 's' })],
      [route as Entity, routeRow({ id: 'r', paths: ['/a'], service: { id: 's' } })],
    ]);
    await gateway.write([replace(service, serviceRow({ id: 's', enabled: false }))]);
    expect(call(gateway, '/a')).toBeNull();
    await gateway.write([replace(service, serviceRow({ id: 's' }))]);
    expect(call(gateway, '/a')).toBe('r');
  });

  test('routes of other protocols than HTTP are not served', async () => {
    const { gateway } = await start([[route as Entity, routeRow({ id: 'r', paths: ['/a'], protocols: ['grpc'] })]]);
    expect(call(gateway, '/a')).toBeNull();
  });

  test('plugins of a route, of a service and of all', async () => {
    const { gateway } = await start([
      [service as Entity, serviceRow({ id: 's' })],
      [route as Entity, routeRow({ id: 'r1', paths: ['/1'], service: { id: 's' } })],
      [route as Entity, routeRow({ id: 'r2', paths: ['/2'] })],
    ]);
    const said = (path: string) => {
      events = [];
      call(gateway, path);
      return events.join();
    };
    const everywhere = () => ['/1', '/2', '/none'].map(said);
    expect(everywhere()).toEqual(['', '', '']);
    await gateway.write([insert(plugin, says('p1', 'all'))]);
    expect(everywhere()).toEqual(['all 1', 'all 2', 'all 3']);
    await gateway.write([insert(plugin, says('p2', 'service', { service: { id: 's' } }))]);
    expect(everywhere()).toEqual(['service 1', 'all 4', 'all 5']);
    await gateway.write([insert(plugin, says('p3', 'route', { route: { id: 'r2' } }))]);
    expect(everywhere()).toEqual(['service 2', 'route 1', 'all 6']);
    await gateway.write([replace(plugin, says('p3', 'route', { route: { id: 'r1' } }))]);
    expect(everywhere()).toEqual(['route 1', 'all 7', 'all 8']);
    await gateway.write([remove(route, 'r1'), remove(plugin, 'p1')]);
    expect(everywhere()).toEqual(['', '', '']);
  });

  test('a route and a service may have the same id', async () => {
    const { gateway } = await start([
      [service as Entity, serviceRow({ id: 'same' })],
      [route as Entity, routeRow({ id: 'same', paths: ['/1'] })],
      [route as Entity, routeRow({ id: 'r', paths: ['/2'], service: { id: 'same' } })],
      [plugin, says('p', 'service', { service: { id: 'same' } })],
    ]);
    await gateway.write([remove(route, 'same')]);
    call(gateway, '/2');
    expect(events).toContain('service 1');
  });

  test('ten thousand routes', async () => {
    const { gateway } = await start();
    await gateway.write(
      Array.from({ length: 10_000 }, (_, index) => insert(route, routeRow({ id: `r${index}`, paths: [`/team-${index}/chat`] }))),
    );
    for (let index = 0; index < 100; index++)
      await gateway.write([insert(route, routeRow({ id: `late${index}`, paths: [`/late-${index}`] }))]);
    expect([call(gateway, '/team-9999/chat/x'), call(gateway, '/late-99'), call(gateway, '/team-x')]).toEqual(['r9999', 'late99', null]);
  });
});

describe('a write that cannot be done changes nothing', () => {
  const NOTHING = { version: 1, fault: null };
  const state = (gateway: Gateway) => ({ version: gateway.snapshot.version, fault: gateway.fault });

  test('a configuration that cannot work', async () => {
    const { gateway, store } = await start();
    const writes = [
      insert(route, routeRow({ id: 'r', paths: ['/a'] })),
      insert(plugin, says('good', 'hello')),
      insert(plugin, says('bad', 'impossible', { route: { id: 'r' } })),
    ];
    await expect(gateway.write(writes)).rejects.toEqual(new ConfigurationError('cannot be said', 'text', 'bad'));
    expect(events).toEqual(['open good', 'close good']);
    expect([...store.all(plugin), ...store.all(route)]).toEqual([]);
    expect(call(gateway, '/a')).toBeNull();
  });

  test.each<[string, Write, string]>([
    ['a foreign key', insert(route, routeRow({ id: 'r', paths: ['/a'], service: { id: 'nowhere' } })), 'foreign key violation'],
    ['a path regex', insert(route, routeRow({ id: 'r', paths: ['~/a(?R)'] })), 'schema violation'],
    ['a header regex', insert(route, routeRow({ id: 'r', headers: { a: ['~*('] } })), 'schema violation'],
    ['a plugin that is not enabled', insert(plugin, pluginRow({ id: 'p', name: 'unknown' })), 'schema violation'],
  ])('%s', async (_, write, name) => {
    const { gateway } = await start([
      [consumer as Entity, { id: 'c', username: 'c', custom_id: null, tags: null, created_at: 1, updated_at: 1 } as Row],
    ]);
    const before = state(gateway);
    const error = await gateway.write([write]).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(EntityError);
    expect((error as EntityError).name).toBe(name as EntityError['name']);
    expect(state(gateway)).toEqual(before);
    expect(before).toEqual(NOTHING);
  });

  test('a database that fails', async () => {
    const persistence = new SharedDatabase();
    const { gateway } = await start([], persistence);
    persistence.failing = true;
    await expect(gateway.write([insert(plugin, says('p', 'hello'))])).rejects.toThrow('disk full');
    expect(events).toEqual(['open p', 'close p']);
    expect(gateway.snapshot.unmatched.access).toEqual([]);
  });
});

describe('a configured plugin', () => {
  test('keeps its state while its configuration stays the same', async () => {
    const { gateway } = await start([[plugin, says('p', 'hello')]]);
    call(gateway, '/');
    await gateway.write([
      replace(plugin, says('p', 'hello', { tags: ['x'], updated_at: 2 })),
      insert(route, routeRow({ id: 'r', paths: ['/'] })),
    ]);
    call(gateway, '/');
    await gateway.write([replace(plugin, says('p', 'bye'))]);
    call(gateway, '/');
    expect(events).toEqual(['open p', 'hello 1', 'hello 2', 'open p', 'close p', 'bye 1']);
  });

  test('is closed when the last request that could use it has left', async () => {
    const { gateway } = await start([[plugin, says('p', 'hello')]]);
    const passage = gateway.snapshot.enter();
    await gateway.write([remove(plugin, 'p')]);
    expect(events).toEqual(['open p']);
    passage.leave();
    expect(events).toEqual(['open p', 'close p']);
  });

  test('that fails to close is logged, and stops nothing', async () => {
    const { gateway } = await start([[plugin, says('p', 'stuck')]]);
    await gateway.write([remove(plugin, 'p')]);
    expect(logged.at(-1)).toBe('a plugin could not close');
    expect(gateway.snapshot.unmatched.access).toEqual([]);
  });

  test('is closed with the gateway', async () => {
    const { gateway } = await start([[plugin, says('p', 'hello')]]);
    gateway.snapshot.enter();
    await gateway.close();
    expect(events).toEqual(['open p', 'close p']);
    open = [];
  });

  test('is not opened while it is disabled', async () => {
    const { gateway } = await start([[plugin, says('p', 'hello', { enabled: false })]]);
    expect(events).toEqual([]);
    await gateway.write([replace(plugin, says('p', 'hello'))]);
    await gateway.write([replace(plugin, says('p', 'hello', { enabled: false }))]);
    expect(events).toEqual(['open p', 'close p']);
  });

  test('finds rows as they are now, and paths from the prefix', async () => {
    const { gateway } = await start([[plugin, says('p', 'hello')]]);
    const find = host?.lookup(consumer, 'username');
    expect(find?.('ann')).toBeUndefined();
    await gateway.write([insert(consumer, { id: 'c', username: 'ann', custom_id: null, tags: null, created_at: 1, updated_at: 1 } as Row)]);
    expect(find?.('ann')?.id).toBe('c');
    expect([host?.path('a.log'), host?.path('/tmp/a.log')]).toEqual(['/var/lib/sluice/a.log', '/tmp/a.log']);
  });
});

describe('rows that do not work when the gateway opens', () => {
  test('serve no request, and all else does', async () => {
    const { gateway } = await start([
      [route as Entity, routeRow({ id: 'good', paths: ['/good'] })],
      [route as Entity, routeRow({ id: 'guarded', paths: ['/guarded'] })],
      [route as Entity, routeRow({ id: 'broken', name: 'my-route', paths: ['~/('] })],
      [plugin, says('p', 'impossible', { route: { id: 'guarded' } })],
    ]);
    expect(gateway.fault).toContain('plugin speaker (p): cannot be said');
    expect(gateway.fault).toContain('route my-route (broken): ');
    expect(call(gateway, '/good')).toBe('good');
    expect(() => call(gateway, '/guarded')).toThrow(new RequestFailure(500, 'An unexpected error occurred'));

    await gateway.write([replace(plugin, says('p', 'mended', { route: { id: 'guarded' } })), remove(route, 'broken')]);
    expect(gateway.fault).toBeNull();
    expect(call(gateway, '/guarded')).toBe('guarded');
    expect(events).toContain('mended 1');
  });

  test('a plugin that is no longer enabled lets nothing pass, unless it is switched off', async () => {
    const { gateway } = await start([[plugin, pluginRow({ id: 'p', name: 'gone' })]]);
    expect(() => call(gateway, '/')).toThrow(RequestFailure);
    const { gateway: other } = await start([[plugin, pluginRow({ id: 'p', name: 'gone', enabled: false })]]);
    expect(call(other, '/')).toBeNull();
  });
});

describe('changes made elsewhere', () => {
  test('are served as one', async () => {
    const database = new SharedDatabase();
    const { gateway } = await start([], database);
    await database.become([
      [route as Entity, routeRow({ id: 'r', paths: ['/a'] })],
      [plugin, says('p', 'hello', { route: { id: 'r' } })],
    ]);
    expect(call(gateway, '/a')).toBe('r');
    expect(events).toEqual(['open p', 'hello 1']);
  });

  test('that cannot be compiled leave the old configuration serving, until they can', async () => {
    const database = new SharedDatabase([[plugin, says('p', 'hello')]]);
    const { gateway } = await start([], database);
    await database.become([
      [plugin, says('p', 'impossible')],
      [route as Entity, routeRow({ id: 'r', paths: ['/a'] })],
    ]);
    expect(gateway.fault).toContain('cannot be said');
    expect(logged.at(-1)).toBe(gateway.fault as string);
    expect(call(gateway, '/a')).toBeNull();
    expect(events).toEqual(['open p', 'hello 1']);

    await gateway.write([insert(route, routeRow({ id: 'own', paths: ['/own'] }) as Route)]);
    expect([call(gateway, '/own'), call(gateway, '/a'), gateway.fault !== null]).toEqual(['own', null, true]);

    await gateway.write([replace(plugin, says('p', 'bye'))]);
    expect([call(gateway, '/a'), gateway.fault]).toEqual(['r', null]);
    expect(events.at(-1)).toBe('bye 1');
  });

  test('that cannot be read are a fault until they can', async () => {
    const database = new SharedDatabase();
    const { gateway } = await start([], database);
    database.unreadable = true;
    await database.become([]);
    expect(gateway.fault).toBe('changes made elsewhere cannot be read: permission denied');
    await gateway.write([insert(route, routeRow({ id: 'r', paths: ['/a'] }))]);
    expect(gateway.fault).not.toBeNull();
    database.unreadable = false;
    await database.become([[route as Entity, routeRow({ id: 'r', paths: ['/a'] })]]);
    expect(gateway.fault).toBeNull();
  });
});
