import { consumer } from '../entities/consumer.ts';
import { consumerGroup } from '../entities/consumer-group.ts';
import { type ConsumerGroupConsumer, consumerGroupConsumer } from '../entities/consumer-group-consumer.ts';
import type { Entity, Row } from '../entities/entity.ts';
import type { PluginRow } from '../entities/plugin-entity.ts';
import { RequestFailure } from '../lib/request-failure.ts';
import { array, record, string } from '../schema/field.ts';
import type { Store } from '../store/store.ts';
import { type AdminContext, type Endpoint, segment } from './admin-context.ts';
import { about } from './answers.ts';
import { type Body, readBody } from './body.ts';
import { pageAnswer, pageQuery } from './list.ts';
import { nestedPath, nestedPathOf, singlePath } from './paths.ts';
import { findRow, newRow } from './rows.ts';
import type { Writer } from './writer.ts';

/** One end of a membership: the consumer, or the group that it is in. */
interface End {
  readonly entity: Entity;
  /** The field of a membership that points at it, and what it is called where one is answered. */
  readonly field: 'consumer' | 'consumer_group';
  /** What it is called where several are. */
  readonly plural: string;
  /** What a body calls it. */
  readonly word: string;
  /** What messages call it. */
  readonly title: string;
  /** Why there is nothing to be removed from it. */
  readonly alone: (id: string) => string;
}

const CONSUMER: End = {
  entity: consumer,
  field: 'consumer',
  plural: 'consumers',
  word: 'consumer',
  title: 'Consumer',
  alone: id => `Consumer '${id}' not in group`,
};
const GROUP: End = {
  entity: consumerGroup,
  field: 'consumer_group',
  plural: 'consumer_groups',
  word: 'group',
  title: 'Group',
  alone: id => `Group '${id}' has no consumers`,
};

/** `GET` answers that many without being asked for more or less: clients of Kong's do not ask for a second page. */
const PAGE_SIZE = 1000;

/**
 * Consumers in groups, seen from either end. Kong's open-source gateway has no groups: paths, bodies and answers are those of
 * Kong Enterprise (the Admin API reference of consumer groups, and what go-kong sends and reads).
 */
export function membershipEndpoints(store: Store, writer: Writer): Endpoint[] {
  if (!store.entities.has(consumerGroupConsumer.name)) return [];
  const book = new MembershipBook(store, writer);
  return [
    groupWithMembers(book),
    members(book, GROUP, CONSUMER),
    member(book, GROUP, CONSUMER),
    members(book, CONSUMER, GROUP),
    member(book, CONSUMER, GROUP),
  ];
}

/** Who is in which group. */
class MembershipBook {
  readonly store: Store;
  readonly writer: Writer;
  readonly entity = consumerGroupConsumer;

  constructor(store: Store, writer: Writer) {
    this.store = store;
    this.writer = writer;
  }

  /** The row that is named so, or a 404. */
  require({ entity, title }: End, key: string): Row {
    const row = findRow(this.store, entity, key);
    if (!row) throw new RequestFailure(404, `${title} '${key}' not found`);
    return row;
  }

  find(one: End, row: Row, other: End, otherRow: Row): ConsumerGroupConsumer | undefined {
    return this.store.findByCacheKey(this.entity, { [one.field]: { id: row.id }, [other.field]: { id: otherRow.id } });
  }

  all(one: End, row: Row): readonly ConsumerGroupConsumer[] {
    return [...this.store.pointingAt(this.entity, one.field, row.id)];
  }

  /** The row at the other end of a membership. */
  at({ entity, field }: End, membership: ConsumerGroupConsumer): Row {
    const row = this.store.find(entity, membership[field].id);
    if (!row) throw new Error(`a membership without its ${field}`);
    return row;
  }
}

/** `GET /consumer_groups/{group}` */
function groupWithMembers(book: MembershipBook): Endpoint {
  const plugins = book.store.entities.get('plugins') as Entity<PluginRow> | undefined;
  return {
    path: singlePath(consumerGroup),
    methods: {
      GET: context => {
        const row = book.require(GROUP, segment(context, consumerGroup.name));
        const listed = context.req.query('list_consumers') !== 'false';
        return context.json({
          consumer_group: row,
          ...(listed && { consumers: book.all(GROUP, row).map(membership => book.at(CONSUMER, membership)) }),
          plugins: plugins ? [...book.store.pointingAt(plugins, 'consumer_group', row.id)] : [],
        });
      },
    },
  };
}

/** `/consumer_groups/{group}/consumers`, and the same from the other end. */
function members(book: MembershipBook, one: End, other: End): Endpoint {
  const own = (context: AdminContext) => book.require(one, segment(context, one.entity.name));
  return {
    path: nestedPath(one.entity, other.entity),
    methods: {
      GET: context => {
        const row = own(context);
        const page = book.store.page(book.entity, { ...pageQuery(context, PAGE_SIZE), where: { field: one.field, id: row.id } });
        const data = page.rows.map(membership => book.at(other, membership));
        return pageAnswer(context, nestedPathOf(one.entity, row.id, other.entity), data, page.offset);
      },
      POST: async context => {
        about(context, book.entity, null);
        const keys = keysOf(await readBody(context.req.raw), other.word);
        const row = own(context);
        const added: Row[] = [];
        await book.writer.write('create', book.entity, () =>
          keys.map(key => {
            const otherRow = book.require(other, key);
            if (book.find(one, row, other, otherRow)) {
              throw alreadyIn(one === CONSUMER ? [segment(context, one.entity.name), key] : [key, row.id]);
            }
            added.push(otherRow);
            const fields = { [one.field]: { id: row.id }, [other.field]: { id: otherRow.id } };
            const membership = newRow(book.store, book.entity, fields);
            about(context, book.entity, membership);
            return { kind: 'insert', entity: book.entity, row: membership };
          }),
        );
        return context.json({ [one.field]: row, [other.plural]: added }, 201);
      },
      DELETE: async context => {
        about(context, book.entity, null);
        const row = own(context);
        await book.writer.write('remove', book.entity, () => {
          const found = book.all(one, row);
          if (found.length === 0) throw new RequestFailure(404, one.alone(row.id));
          return found.map(({ id }) => ({ kind: 'remove', entity: book.entity, id }));
        });
        return context.body(null, 204);
      },
    },
  };
}

/** `/consumer_groups/{group}/consumers/{consumer}`, and the same from the other end. */
function member(book: MembershipBook, one: End, other: End): Endpoint {
  const both = (context: AdminContext) => ({
    row: book.require(one, segment(context, one.entity.name)),
    otherRow: book.require(other, segment(context, other.entity.name)),
  });
  const find = ({ row, otherRow }: ReturnType<typeof both>) => {
    const membership = book.find(one, row, other, otherRow);
    if (membership) return membership;
    const [member, group] = one === CONSUMER ? [row, otherRow] : [otherRow, row];
    throw new RequestFailure(404, `Consumer '${member.id}' not found in Group '${group.id}'`);
  };
  return {
    path: `${nestedPath(one.entity, other.entity)}/:${other.entity.name}`,
    methods: {
      GET: context => {
        const rows = both(context);
        find(rows);
        return context.json({ [other.field]: rows.otherRow });
      },
      DELETE: async context => {
        about(context, book.entity, null);
        await book.writer.write('remove', book.entity, () => {
          const membership = find(both(context));
          about(context, book.entity, membership);
          return [{ kind: 'remove', entity: book.entity, id: membership.id }];
        });
        return context.body(null, 204);
      },
    },
  };
}

/** The names or ids in a body: one, or a list of them. */
function keysOf(body: Body, word: string): readonly string[] {
  const value = body.read(record({ [word]: array(string()) }))[word];
  const keys = typeof value === 'string' ? [value] : value;
  if (!Array.isArray(keys) || keys.length === 0 || !keys.every(key => typeof key === 'string')) {
    throw new RequestFailure(400, `must provide ${word}`);
  }
  return keys;
}

const alreadyIn = ([member, group]: readonly [member: string, group: string]) =>
  new RequestFailure(409, `Consumer '${member}' already in group '${group}'`);
