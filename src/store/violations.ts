import type { Reference } from '../entities/entity.ts';
import { EntityError } from '../entities/entity-error.ts';

/** Fields by name, as Kong's errors hold them. */
type Key = Readonly<Record<string, unknown>>;

export const primaryKeyViolation = (id: string) =>
  new EntityError('primary key violation', `primary key violation on key '${luaTable({ id })}'`, { id });

export const uniqueViolation = (key: Key) =>
  new EntityError('unique constraint violation', `UNIQUE violation detected on '${luaTable(key)}'`, key);

export const foreignKeyViolation = (field: string, { id }: Reference, entity: string) =>
  new EntityError('foreign key violation', `the foreign key '${luaTable({ id })}' does not reference an existing '${entity}' entity.`, {
    [field]: { id },
  });

export const referencedViolation = (entity: string, child: string) =>
  new EntityError('foreign key violation', `an existing '${child}' entity references this '${entity}' entity`, { '@referenced_by': child });

/** Of a row whose id a list of another row holds. Source: kong/db/dao/ca_certificates.lua of Kong 3.9. */
export const listedViolation = (entity: string, id: string, holder: string, holderId: string) =>
  new EntityError('referenced by others', `${inWords(entity)} ${id} is still referenced by ${holder} (id = ${holderId})`);

export const notFound = (id: string) =>
  new EntityError('not found', `could not find the entity with primary key '${luaTable({ id })}'`, { id });

export const invalidOffset = (offset: string, reason: string) =>
  new EntityError('invalid offset', `'${offset}' is not a valid offset: ${reason}`);

export const invalidSize = () => new EntityError('invalid size', 'size must be an integer between 1 and 1000');

/** `ca_certificates` as `ca certificate`. */
const inWords = (entity: string) => entity.replace(/s$/, '').replaceAll('_', ' ');

/** Kong's messages show keys as Lua writes tables: `{name="x",route=null}`. */
function luaTable(key: Key): string {
  const members = Object.entries(key).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, value]) => `${name}=${luaValue(value)}`).join(',')}}`;
}

const luaValue = (value: unknown) => (typeof value === 'object' && value !== null ? luaTable(value as Key) : JSON.stringify(value));
