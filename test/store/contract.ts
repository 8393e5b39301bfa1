import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { consumer } from '../../src/entities/consumer.ts';
import { EntityError } from '../../src/entities/entity-error.ts';
import { route } from '../../src/entities/route.ts';
import { service } from '../../src/entities/service.ts';
import type { Store, Write } from '../../src/store/store.ts';
import {
  anchor,
  anchorRow,
  client,
  clientRow,
  consumerRow,
  id,
  insert,
  plugin,
  pluginRow,
  remove,
  replace,
  routeRow,
  serviceRow,
} from './rows.ts';

/** What every store does, whatever keeps its rows. */
export function storeContract(name: string, open: () => Promise<Store>): void {
  describe(`${name}:`, () => {
    let store: Store;
    beforeEach(async () => {
      store = await open();
    });
    afterEach(() => store.close());

    const write = (...writes: Write[]) => store.commit(store.stage(writes));
    const rows = () => [...store.entities.values()].flatMap(entity => [...store.all(entity)].map(row => row.id)).sort();
    const refused = (...writes: Write[]): EntityError => {
      const before = rows();
      try {
        store.stage(writes);
      } catch (error) {
        if (!(error instanceof EntityError)) throw error;
        expect(rows()).toEqual(before);
        return error;
      }
      throw new Error('the writes were not refused');
    };

    test('a row is found by its id, its endpoint key and its unique fields', async () => {
      const row = serviceRow(1, { name: 'one' });
      const user = consumerRow(2, { username: 'ann', custom_id: 'a-1' });
      await write(insert(service, row), insert(consumer, user));
      expect(store.find(service, id(1))).toEqual(row);
      expect(store.find(service, 'one')).toEqual(row);
      expect(store.findBy(consumer, 'custom_id', 'a-1')).toEqual(user);
      expect(store.find(service, 'two')).toBeUndefined();
      expect(store.findBy(consumer, 'custom_id', 'ann')).toBeUndefined();
      expect([...store.all(service)]).toEqual([row]);
    });

    test('finding by a field that is not unique is a mistake of the program', () => {
      expect(() => store.findBy(service, 'host', 'x')).toThrow("field 'host' of services is not unique");
    });

    test('a row whose key is unique below its parent only is found by all of its cache key', async () => {
      const [here, there, nobodys] = [clientRow(3, { owner: { id: id(1) } }), clientRow(4, { owner: { id: id(2) } }), clientRow(5)];
      await write(
        insert(service, serviceRow(1)),
        insert(service, serviceRow(2)),
        ...[here, there, nobodys].map(row => insert(client, row)),
      );
      expect(store.findByCacheKey(client, { owner: { id: id(1) }, name: 'one' })).toEqual(here);
      expect(store.findByCacheKey(client, { name: 'one', owner: { id: id(2) } })).toEqual(there);
      expect(store.findByCacheKey(client, { name: 'one' })).toEqual(nobodys);
      expect(store.findByCacheKey(client, { name: 'two' })).toBeUndefined();
      expect(store.find(client, id(4))).toEqual(there);
      expect(store.find(client, 'one')).toBeUndefined();
      await write(remove(service, id(1)));
      expect(store.findByCacheKey(client, { owner: { id: id(1) }, name: 'one' })).toBeUndefined();
    });

    test('rows that others list stay until none does', async () => {
      const trusted = (...numbers: number[]) => ({ trusted: numbers.map(id) });
      await write(insert(anchor, anchorRow(1)), insert(anchor, anchorRow(2)), insert(client, clientRow(3, trusted(1, 2))));
      expect(refused(replace(client, clientRow(3, trusted(1, 8)))).body).toEqual({
        code: 4,
        message: `the foreign key '{id="${id(8)}"}' does not reference an existing 'test_anchors' entity.`,
        name: 'foreign key violation',
        fields: { trusted: { id: id(8) } },
      });
      expect(refused(remove(anchor, id(2))).body).toEqual({
        code: 19,
        message: `test anchor ${id(2)} is still referenced by test_clients (id = ${id(3)})`,
        name: 'referenced by others',
      });
      await write(replace(client, clientRow(3, trusted(1))), remove(anchor, id(2)));
      await write(remove(client, id(3)), remove(anchor, id(1)));
      expect(rows()).toEqual([]);
    });

    test('staging alone changes nothing', () => {
      store.stage([insert(service, serviceRow(1, { name: 'one' }))]);
      expect(rows()).toEqual([]);
      expect(store.find(service, 'one')).toBeUndefined();
    });

    test('a replaced row is found by its new values only', async () => {
      await write(insert(service, serviceRow(1, { name: 'old', tags: ['x'] })));
      const row = serviceRow(1, { name: 'new', tags: ['y'] });
      await write(replace(service, row));
      expect(store.find(service, 'old')).toBeUndefined();
      expect(store.find(service, 'new')).toEqual(row);
      expect(store.page(service, { size: 10, tags: { names: ['x'], match: 'all' } }).rows).toEqual([]);
      expect(store.page(service, { size: 10, tags: { names: ['y'], match: 'all' } }).rows).toEqual([row]);
    });

    describe('refuses', () => {
      beforeEach(() =>
        write(
          insert(service, serviceRow(1, { name: 'one' })),
          insert(service, serviceRow(2, { name: 'two' })),
          insert(route, routeRow(3, { service: { id: id(1) } })),
          insert(plugin, pluginRow(4, { service: { id: id(1) } })),
          insert(plugin, pluginRow(5)),
        ),
      );

      const one = id(1);
      test.each<[string, Write, object]>([
        [
          'an id that is taken',
          insert(service, serviceRow(1)),
          { code: 3, message: `primary key violation on key '{id="${one}"}'`, name: 'primary key violation', fields: { id: one } },
        ],
        [
          'a replacement of what is not there',
          replace(service, serviceRow(9)),
          { code: 6, message: `could not find the entity with primary key '{id="${id(9)}"}'`, name: 'not found', fields: { id: id(9) } },
        ],
        [
          'a name that is taken',
          insert(service, serviceRow(9, { name: 'one' })),
          { code: 5, message: `UNIQUE violation detected on '{name="one"}'`, name: 'unique constraint violation', fields: { name: 'one' } },
        ],
        [
          'a change to a name that is taken',
          replace(service, serviceRow(2, { name: 'one' })),
          { code: 5, message: `UNIQUE violation detected on '{name="one"}'`, name: 'unique constraint violation', fields: { name: 'one' } },
        ],
        [
          'the same plugin in the same place',
          insert(plugin, pluginRow(9, { service: { id: one } })),
          {
            code: 5,
            message: `UNIQUE violation detected on '{consumer=null,consumer_group=null,name="limiter",route=null,service={id="${one}"}}'`,
            name: 'unique constraint violation',
            fields: { consumer: null, consumer_group: null, name: 'limiter', route: null, service: { id: one } },
          },
        ],
        [
          'a second global plugin of the same name',
          insert(plugin, pluginRow(9)),
          {
            code: 5,
            message: `UNIQUE violation detected on '{consumer=null,consumer_group=null,name="limiter",route=null,service=null}'`,
            name: 'unique constraint violation',
            fields: { consumer: null, consumer_group: null, name: 'limiter', route: null, service: null },
          },
        ],
        [
          'a reference that leads nowhere',
          insert(route, routeRow(9, { service: { id: id(8) } })),
          {
            code: 4,
            message: `the foreign key '{id="${id(8)}"}' does not reference an existing 'services' entity.`,
            name: 'foreign key violation',
            fields: { service: { id: id(8) } },
          },
        ],
        [
          'a reference to an entity that the store does not have',
          replace(service, serviceRow(2, { protocol: 'https', client_certificate: { id: id(8) } })),
          {
            code: 4,
            message: `the foreign key '{id="${id(8)}"}' does not reference an existing 'certificates' entity.`,
            name: 'foreign key violation',
            fields: { client_certificate: { id: id(8) } },
          },
        ],
        [
          'the removal of a service that has routes',
          remove(service, one),
          {
            code: 4,
            message: "an existing 'routes' entity references this 'services' entity",
            name: 'foreign key violation',
            fields: { '@referenced_by': 'routes' },
          },
        ],
      ])('%s', (_, refusedWrite, body) => {
        expect(refused(refusedWrite).body).toEqual(body as EntityError['body']);
      });

      test('a batch as a whole when its last write fails', () => {
        refused(remove(plugin, id(4)), insert(service, serviceRow(9, { name: 'nine' })), replace(service, serviceRow(2, { name: 'nine' })));
        expect(store.find(service, 'two')?.id).toBe(id(2));
        expect(store.find(service, 'nine')).toBeUndefined();
        expect(refused(insert(plugin, pluginRow(9, { service: { id: one } }))).name).toBe('unique constraint violation');
      });
    });

    test('writes of a batch see those before them', async () => {
      const changes = store.stage([
        insert(service, serviceRow(1, { name: 'one' })),
        insert(route, routeRow(2, { service: { id: id(1) } })),
        replace(route, routeRow(2, { service: { id: id(1) }, name: 'renamed' })),
        insert(consumer, consumerRow(3)),
        remove(consumer, id(3)),
      ]);
      expect(changes).toEqual([
        { entity: service, id: id(1), row: serviceRow(1, { name: 'one' }) },
        { entity: route, id: id(2), row: routeRow(2, { service: { id: id(1) }, name: 'renamed' }) },
      ]);
      await store.commit(changes);
      expect(store.find(route, 'renamed')?.service).toEqual({ id: id(1) });
    });

    test('rows may trade unique values within a batch', async () => {
      await write(insert(service, serviceRow(1, { name: 'one' })), insert(service, serviceRow(2, { name: 'two' })));
      await write(replace(service, serviceRow(1, { name: 'two' })), replace(service, serviceRow(2, { name: 'one' })));
      expect(store.find(service, 'one')?.id).toBe(id(2));
      expect(store.find(service, 'two')?.id).toBe(id(1));
    });

    test('a removal takes plugins along and says so, children first', async () => {
      await write(
        insert(service, serviceRow(1)),
        insert(route, routeRow(2, { service: { id: id(1) } })),
        insert(consumer, consumerRow(3)),
        insert(plugin, pluginRow(4, { route: { id: id(2) } })),
        insert(plugin, pluginRow(5, { route: { id: id(2) }, consumer: { id: id(3) } })),
        insert(plugin, pluginRow(6, { service: { id: id(1) } })),
        insert(plugin, pluginRow(7)),
      );
      const changes = store.stage([remove(route, id(2))]);
      expect(changes.map(change => [change.entity.name, change.id, change.row])).toEqual([
        ['plugins', id(4), null],
        ['plugins', id(5), null],
        ['routes', id(2), null],
      ]);
      await store.commit(changes);
      expect(rows()).toEqual([id(1), id(3), id(6), id(7)]);
      await write(remove(service, id(1)));
      expect(rows()).toEqual([id(3), id(7)]);
    });

    test('removing what is not there comes to nothing', () => {
      expect(store.stage([remove(service, id(1))])).toEqual([]);
    });

    test('a removal frees unique values for the writes after it', async () => {
      await write(insert(consumer, consumerRow(1, { username: 'ann' })));
      await write(remove(consumer, id(1)), insert(consumer, consumerRow(2, { username: 'ann' })));
      expect(store.find(consumer, 'ann')?.id).toBe(id(2));
    });

    describe('pages', () => {
      beforeEach(() =>
        write(
          insert(service, serviceRow(100)),
          ...[5, 3, 1, 4, 2].map(number =>
            insert(
              route,
              routeRow(number, {
                tags: [...(number % 2 ? ['odd'] : []), ...(number > 3 ? ['high'] : []), 'all'],
                service: number === 4 ? null : { id: id(100) },
              }),
            ),
          ),
        ),
      );

      const walk = (query: Omit<Parameters<Store['page']>[1], 'offset'>) => {
        const pages: number[][] = [];
        for (let offset: string | null | undefined; offset !== null; ) {
          const page = store.page(route, offset === undefined ? query : { ...query, offset });
          pages.push(page.rows.map(row => Number(row.id.slice(-3))));
          offset = page.offset;
        }
        return pages;
      };

      test.each<[string, Omit<Parameters<Store['page']>[1], 'offset'>, number[][]]>([
        ['all rows in the order of their ids', { size: 10 }, [[1, 2, 3, 4, 5]]],
        ['no more rows than asked for', { size: 2 }, [[1, 2], [3, 4], [5]]],
        ['no empty page at the end', { size: 5 }, [[1, 2, 3, 4, 5]]],
        ['children of a row', { size: 3, where: { field: 'service', id: id(100) } }, [[1, 2, 3], [5]]],
        ['children of a row that has none', { size: 3, where: { field: 'service', id: id(101) } }, [[]]],
        ['rows with a tag', { size: 2, tags: { names: ['odd'], match: 'all' } }, [[1, 3], [5]]],
        ['rows with all of two tags', { size: 2, tags: { names: ['all', 'high'], match: 'all' } }, [[4, 5]]],
        [
          'rows with any of two tags',
          { size: 2, tags: { names: ['high', 'odd'], match: 'any' } },
          [
            [1, 3],
            [4, 5],
          ],
        ],
        ['rows with a tag that none has', { size: 2, tags: { names: ['none', 'all'], match: 'all' } }, [[]]],
        ['tagged children', { size: 9, tags: { names: ['high'], match: 'any' }, where: { field: 'service', id: id(100) } }, [[5]]],
      ])('hold %s', (_, query, pages) => {
        expect(walk(query)).toEqual(pages);
      });

      test('go on after the last row even when it is gone and others came before it', async () => {
        const { offset } = store.page(route, { size: 3 });
        await write(remove(route, id(3)), insert(route, routeRow(0)));
        const rest = store.page(route, { size: 3, offset: offset ?? '' });
        expect(rest.rows.map(row => row.id)).toEqual([id(4), id(5)]);
      });

      test.each([
        ['', 'bad json encoding'],
        ['!', 'bad base64 encoding'],
        ['eA', 'bad json encoding'],
        [btoa('{"a":1}'), 'bad base64 encoding'],
      ])('refuse the offset %j', (offset, reason) => {
        expect(() => store.page(route, { size: 3, offset })).toThrow(
          new EntityError('invalid offset', `'${offset}' is not a valid offset: ${reason}`),
        );
      });

      test.each([0, -1, 1001, 1.5, Number.NaN])('refuse the size %p', size => {
        expect(() => store.page(route, { size })).toThrow(new EntityError('invalid size', 'size must be an integer between 1 and 1000'));
      });
    });
  });
}
