import type { Entity, Row } from '../entities/entity.ts';
import { foreignFields } from '../store/foreign-fields.ts';
import type { Store } from '../store/store.ts';
import { type AdminContext, type Endpoint, methodNotAllowed, notFound, segment } from './admin-context.ts';
import { readBody } from './body.ts';
import { pageAnswer, pageQuery } from './list.ts';
import { findRow } from './rows.ts';
import { referenceOf, type Writer } from './writer.ts';

/** The paths of every entity, and of those it points at: what Kong's kong/api/endpoints.lua makes of a schema. */
export function resourceEndpoints(store: Store, writer: Writer): Endpoint[] {
  return [...store.entities.values()].flatMap(entity => [
    collection(store, writer, entity),
    single(store, writer, entity),
    ...foreignFields(entity).flatMap(({ name, reference }) => {
      const target = store.entities.get(reference);
      if (!target) return [];
      return [
        nestedCollection(store, writer, entity, name, target),
        nestedSingle(store, writer, entity, name, target),
        referenced(store, writer, entity, name, target),
      ];
    }),
  ]);
}

const about = (context: AdminContext, entity: Entity, row: Row | null): void =>
  context.set('subject', { entity: entity.name, id: row?.id ?? null });

/** `/services` */
function collection(store: Store, writer: Writer, entity: Entity): Endpoint {
  // A unique field that no path uses: `/consumers?custom_id=…`.
  const lookups = Object.entries(entity.schema.fields).filter(([name, { facts }]) => facts.unique && name !== entity.endpointKey);
  return {
    path: `/${entity.name}`,
    methods: {
      GET: context => {
        for (const [name] of lookups) {
          const wanted = context.req.query(name);
          if (wanted === undefined) continue;
          const row = store.findBy(entity, name, wanted);
          return context.json({ data: row ? [row] : [], next: null });
        }
        const page = store.page(entity, pageQuery(context));
        return pageAnswer(context, `/${entity.name}`, page.rows, page.offset);
      },
      POST: async context => {
        about(context, entity, null);
        const row = await writer.insert(entity, await readBody(context.req.raw));
        about(context, entity, row);
        return context.json(row, 201);
      },
    },
  };
}

/** `/services/{service}` */
function single(store: Store, writer: Writer, entity: Entity): Endpoint {
  const key = (context: AdminContext) => segment(context, entity.name);
  return {
    path: `/${entity.name}/:${entity.name}`,
    methods: {
      GET: context => {
        const row = findRow(store, entity, key(context));
        return row ? context.json(row) : notFound(context);
      },
      PUT: context => answerPut(context, writer, entity, key(context)),
      PATCH: context => answerPatch(context, writer, entity, key(context)),
      DELETE: context => answerDelete(context, writer, entity, key(context)),
    },
  };
}

/** `/services/{service}/routes`: rows of `entity` whose `field` points at the row of `target`. */
function nestedCollection(store: Store, writer: Writer, entity: Entity, field: string, target: Entity): Endpoint {
  return {
    path: `/${target.name}/:${target.name}/${entity.name}`,
    methods: {
      GET: context => {
        const parent = findRow(store, target, segment(context, target.name));
        if (!parent) return notFound(context);
        const page = store.page(entity, { ...pageQuery(context), where: { field, id: parent.id } });
        return pageAnswer(context, `/${target.name}/${parent.id}/${entity.name}`, page.rows, page.offset);
      },
      POST: async context => {
        about(context, entity, null);
        const parent = findRow(store, target, segment(context, target.name));
        if (!parent) return notFound(context);
        const row = await writer.insert(entity, await readBody(context.req.raw), { [field]: { id: parent.id } });
        about(context, entity, row);
        return context.json(row, 201);
      },
    },
  };
}

/** `/services/{service}/routes/{route}`: a row of `entity`, as long as its `field` points at the row of `target`. */
function nestedSingle(store: Store, writer: Writer, entity: Entity, field: string, target: Entity): Endpoint {
  const parentOf = (context: AdminContext) => findRow(store, target, segment(context, target.name));
  const find = (context: AdminContext) => {
    const parent = parentOf(context);
    const row = parent && findRow(store, entity, segment(context, entity.name));
    return parent && row && referenceOf(row, field) === parent.id ? row : undefined;
  };
  return {
    path: `/${target.name}/:${target.name}/${entity.name}/:${entity.name}`,
    methods: {
      GET: context => {
        const row = find(context);
        return row ? context.json(row) : notFound(context);
      },
      PUT: context => {
        const parent = parentOf(context);
        if (!parent) return notFound(context);
        return answerPut(context, writer, entity, segment(context, entity.name), { [field]: { id: parent.id } });
      },
      PATCH: context => {
        const row = find(context);
        return row ? answerPatch(context, writer, entity, row.id) : notFound(context);
      },
      DELETE: context => {
        const row = find(context);
        return row ? answerDelete(context, writer, entity, row.id) : notFound(context);
      },
    },
  };
}

/** `/routes/{route}/service`: the row that `field` points at. */
function referenced(store: Store, writer: Writer, entity: Entity, field: string, target: Entity): Endpoint {
  const find = (context: AdminContext) => {
    const row = findRow(store, entity, segment(context, entity.name));
    return row ? referenceOf(row, field) : null;
  };
  return {
    path: `/${entity.name}/:${entity.name}/${field}`,
    methods: {
      GET: context => {
        const id = find(context);
        const row = id === null ? undefined : findRow(store, target, id);
        return row ? context.json(row) : notFound(context);
      },
      PUT: async context => {
        const row = findRow(store, entity, segment(context, entity.name));
        if (!row) return notFound(context);
        const id = referenceOf(row, field);
        if (id !== null) return answerPut(context, writer, target, id);
        about(context, target, null);
        const made = await writer.insertReferenced(target, await readBody(context.req.raw), entity, row.id, field);
        if (!made) return notFound(context);
        about(context, target, made);
        return context.json(made);
      },
      PATCH: context => {
        const id = find(context);
        return id === null ? notFound(context) : answerPatch(context, writer, target, id);
      },
      // What several rows may point at is not deleted through one of them.
      DELETE: context => (find(context) === null ? notFound(context) : methodNotAllowed(context)),
    },
  };
}

async function answerPut(
  context: AdminContext,
  writer: Writer,
  entity: Entity,
  key: string,
  fixed?: Readonly<Record<string, unknown>>,
): Promise<Response> {
  about(context, entity, null);
  const row = await writer.upsert(entity, key, await readBody(context.req.raw), fixed);
  about(context, entity, row);
  return context.json(row);
}

async function answerPatch(context: AdminContext, writer: Writer, entity: Entity, key: string): Promise<Response> {
  about(context, entity, null);
  const row = await writer.update(entity, key, await readBody(context.req.raw));
  if (!row) return notFound(context);
  about(context, entity, row);
  return context.json(row);
}

async function answerDelete(context: AdminContext, writer: Writer, entity: Entity, key: string): Promise<Response> {
  about(context, entity, null);
  about(context, entity, await writer.remove(entity, key));
  return context.body(null, 204);
}
