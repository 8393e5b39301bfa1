import type { Entity, Row } from '../entities/entity.ts';
import { isUuid } from '../lib/uuid.ts';
import type { Store } from '../store/store.ts';
import { findById } from './rows.ts';

/**
 * The foreign field below whose rows alone the entity's endpoint key is unique, such as `upstream` of targets; undefined when it
 * is so everywhere. Rows of such an entity have no paths of their own (source: kong/api/routes/targets.lua of Kong 3.9).
 */
export function scopeOf({ endpointKey, cacheKey = [], schema }: Entity): string | undefined {
  if (endpointKey === undefined || schema.fields[endpointKey]?.facts.unique) return undefined;
  return cacheKey.find(name => schema.fields[name]?.facts.reference !== undefined);
}

/** The row that a key names among those whose field `scope` points at the row `parentId`, or by its id among all. */
export function findInScope(store: Store, entity: Entity, scope: string, parentId: string, key: string): Row | undefined {
  if (isUuid(key)) return findById(store, entity, key);
  return store.findByCacheKey(entity, { [scope]: { id: parentId }, [entity.endpointKey ?? entity.keyBelowParent ?? 'id']: key });
}
