import type { Entity } from '../entities/entity.ts';
import { decodePattern, normalizePath } from '../lib/path-normalization.ts';
import type { Fields } from './declarative-item.ts';

/**
 * A route of a format before 3.0 as it is written today. Paths were decoded when they were matched, and those that no plain
 * path looks like were regular expressions. Source: kong/db/migrations/migrate_path_280_300.lua of Kong 3.9.
 */
export function withPathsOfToday(entity: Entity, fields: Fields): Fields {
  const { paths } = fields;
  if (entity.name !== 'routes' || !Array.isArray(paths)) return fields;
  return { ...fields, paths: paths.map(path => (typeof path === 'string' ? pathOfToday(path) : path)) };
}

function pathOfToday(path: string): string {
  return /^[a-zA-Z0-9.\-_~/%]*$/.test(path) ? normalizePath(path) : `~${decodePattern(path)}`;
}
