import type { Row } from '../entities/entity.ts';
import { foreignFields } from '../store/foreign-fields.ts';
import type { Store } from '../store/store.ts';
import { type AdminContext, type Endpoint, methodNotAllowed, notFound, segment } from './admin-context.ts';
import { about, answerDelete, answerPage, answerPatch, answerPost, answerPut, answerRow } from './answers.ts';
import { readBody } from './body.ts';
import { nestedPath, nestedPathOf, singlePath } from './paths.ts';
import type { Resource } from './resource.ts';
import { findInScope, scopeOf } from './scope.ts';
import { referenceOf, type Writer } from './writer.ts';

/** A field by which rows of `child` point at rows of `parent`. */
interface Link {
  readonly store: Store;
  readonly writer: Writer;
  readonly child: Resource;
  readonly field: string;
  readonly parent: Resource;
}

/** The paths of an entity below those that it points at, and of the rows that it points at. */
export function nestedEndpoints(store: Store, writer: Writer, child: Resource, resources: ReadonlyMap<string, Resource>): Endpoint[] {
  const scope = scopeOf(child.entity);
  return foreignFields(child.entity).flatMap(({ name: field, reference }) => {
    const parent = resources.get(reference);
    if (!parent) return [];
    const link: Link = { store, writer, child, field, parent };
    if (scope === undefined) return [collection(link), single(link), referenced(link)];
    return scope === field ? [collection(link), collection(link, '/all'), singleInScope(link)] : [];
  });
}

const parentOf = ({ parent }: Link, context: AdminContext): Row | undefined => parent.find(segment(context, parent.entity.name), false);

/** What a path below a parent says of a row; null: there is no such parent. */
function fixedBy(link: Link, context: AdminContext): Readonly<Record<string, unknown>> | null {
  const row = parentOf(link, context);
  return row ? { [link.field]: { id: row.id } } : null;
}

/** `/services/{service}/routes`: rows of `child` whose `field` points at the row of `parent`. */
function collection(link: Link, more = ''): Endpoint {
  const { store, writer, child, field, parent } = link;
  return {
    path: nestedPath(parent.entity, child.entity) + more,
    methods: {
      GET: context => {
        const row = parentOf(link, context);
        if (!row) return notFound(context);
        return answerPage(context, store, child, nestedPathOf(parent.entity, row.id, child.entity) + more, { field, id: row.id });
      },
      ...(more === '' && { POST: context => answerPost(context, writer, child, fixedBy(link, context)) }),
    },
  };
}

/** `child` as paths below a parent have it: there, its rows may have names of their own. */
function belowParent(link: Link, context: AdminContext): Resource {
  const { store, child, field } = link;
  const { keyBelowParent } = child.entity;
  const above = keyBelowParent === undefined ? undefined : parentOf(link, context);
  if (keyBelowParent === undefined || above === undefined) return child;
  return {
    ...child,
    find: key => findInScope(store, child.entity, field, above.id, key),
    named: key => ({ [keyBelowParent]: key }),
  };
}

/** `/services/{service}/routes/{route}`: a row of `child`, as long as its `field` points at the row of `parent`. */
function single(link: Link): Endpoint {
  const { writer, child, field, parent } = link;
  const key = (context: AdminContext) => segment(context, child.entity.name);
  const find = (context: AdminContext) => {
    const above = parentOf(link, context);
    const row = above && belowParent(link, context).find(key(context), false);
    return row && referenceOf(row, field) === above.id ? row : undefined;
  };
  return {
    path: `${nestedPath(parent.entity, child.entity)}/:${child.entity.name}`,
    methods: {
      GET: context => answerRow(context, child, find(context)),
      PUT: context => answerPut(context, writer, belowParent(link, context), key(context), fixedBy(link, context)),
      PATCH: context => answerPatch(context, writer, child, find(context)?.id ?? null, fixedBy(link, context) ?? {}),
      DELETE: context => answerDelete(context, writer, child, find(context)?.id ?? null),
    },
  };
}

/** `/upstreams/{upstream}/targets/{target}`: the same where names mean something below that parent only. A PUT makes no row. */
function singleInScope(link: Link): Endpoint {
  const { store, writer, child, field, parent } = link;
  const find = (context: AdminContext) => {
    const above = parentOf(link, context);
    const row = above && findInScope(store, child.entity, field, above.id, segment(context, child.entity.name));
    return row && referenceOf(row, field) === above.id ? row : undefined;
  };
  const change = (context: AdminContext) => answerPatch(context, writer, child, find(context)?.id ?? null);
  return {
    path: `${nestedPath(parent.entity, child.entity)}/:${child.entity.name}`,
    methods: {
      GET: context => answerRow(context, child, find(context)),
      PUT: change,
      PATCH: change,
      DELETE: context => answerDelete(context, writer, child, find(context)?.id ?? null),
    },
  };
}

/** `/routes/{route}/service`: the row that `field` points at. */
function referenced({ writer, child, field, parent }: Link): Endpoint {
  const rowOf = (context: AdminContext) => child.find(segment(context, child.entity.name), false);
  const find = (context: AdminContext) => {
    const row = rowOf(context);
    return row ? referenceOf(row, field) : null;
  };
  return {
    path: `${singlePath(child.entity)}/${field}`,
    methods: {
      GET: context => {
        const id = find(context);
        return answerRow(context, parent, id === null ? undefined : parent.find(id, false));
      },
      PUT: async context => {
        const row = rowOf(context);
        const id = row ? referenceOf(row, field) : null;
        if (!row || id !== null) return answerPut(context, writer, parent, id ?? '', row ? {} : null);
        about(context, parent.entity, null);
        const made = await writer.insertReferenced(parent, await readBody(context.req.raw), child.entity, row.id, field);
        if (made) about(context, parent.entity, made);
        return answerRow(context, parent, made);
      },
      PATCH: context => answerPatch(context, writer, parent, find(context)),
      // What several rows may point at is not deleted through one of them.
      DELETE: context => (find(context) === null ? notFound(context) : methodNotAllowed(context)),
    },
  };
}
