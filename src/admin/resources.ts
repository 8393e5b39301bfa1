import type { Store } from '../store/store.ts';
import { type Endpoint, segment } from './admin-context.ts';
import { answerDelete, answerPage, answerPatch, answerPost, answerPut, answerRow } from './answers.ts';
import { nestedEndpoints } from './nested-resources.ts';
import { collectionPath, singlePath } from './paths.ts';
import type { Resource } from './resource.ts';
import { scopeOf } from './scope.ts';
import type { Writer } from './writer.ts';

/** The paths of every entity, and of those it points at: what Kong's kong/api/endpoints.lua makes of a schema. */
export function resourceEndpoints(store: Store, writer: Writer, resources: ReadonlyMap<string, Resource>): Endpoint[] {
  return [...resources.values()].flatMap(resource => {
    if (resource.entity.generateAdminApi === false) return [];
    const own = scopeOf(resource.entity) ? [] : [collection(store, writer, resource), single(writer, resource)];
    return [...own, ...nestedEndpoints(store, writer, resource, resources)];
  });
}

/** `/services` */
function collection(store: Store, writer: Writer, resource: Resource): Endpoint {
  const { entity } = resource;
  const path = collectionPath(entity);
  // A unique field that no path uses: `/consumers?custom_id=…`.
  const lookups = Object.keys(entity.schema.fields).filter(name => entity.schema.fields[name]?.facts.unique && name !== entity.endpointKey);
  return {
    path,
    methods: {
      GET: context => {
        for (const name of lookups) {
          const wanted = context.req.query(name);
          if (wanted === undefined) continue;
          if (wanted === '') return context.json({ message: `${name} must be an unempty string` }, 400);
          const row = store.findBy(entity, name, wanted);
          return context.json({ data: row ? [resource.show(row)] : [], next: null });
        }
        return answerPage(context, store, resource, path);
      },
      POST: context => answerPost(context, writer, resource),
    },
  };
}

/** `/services/{service}` */
function single(writer: Writer, resource: Resource): Endpoint {
  const { name } = resource.entity;
  return {
    path: singlePath(resource.entity),
    methods: {
      GET: context => answerRow(context, resource, resource.find(segment(context, name), false)),
      PUT: context => answerPut(context, writer, resource, segment(context, name)),
      PATCH: context => answerPatch(context, writer, resource, segment(context, name)),
      DELETE: context => answerDelete(context, writer, resource, segment(context, name)),
    },
  };
}
