import type { Entity } from '../entities/entity.ts';

/** A field by which rows of an entity point at rows of another. */
export interface ForeignField {
  readonly name: string;
  /** The entity that it points at. */
  readonly reference: string;
  /** What becomes of a row when the one that it points at is removed. */
  readonly onDelete: 'cascade' | 'null' | 'restrict';
}

export function foreignFields(entity: Entity): readonly ForeignField[] {
  return Object.entries(entity.schema.fields).flatMap(([name, { facts }]) =>
    facts.reference === undefined ? [] : [{ name, reference: facts.reference, onDelete: facts.on_delete ?? 'restrict' }],
  );
}

/** A list field whose members are ids of rows of another entity. Those rows stay while they are listed. */
export type ListReference = Pick<ForeignField, 'name' | 'reference'>;

export function listReferences({ listReferences: lists = {} }: Entity): readonly ListReference[] {
  return Object.entries(lists).map(([name, reference]) => ({ name, reference }));
}

/** Entities in an order in which rows can be inserted: each after all that its fields point at. */
export function parentsFirst(entities: Iterable<Entity>): readonly Entity[] {
  const byName = new Map([...entities].map(entity => [entity.name, entity]));
  const ordered = new Set<Entity>();
  const visit = (entity: Entity) => {
    byName.delete(entity.name);
    for (const { reference } of [...foreignFields(entity), ...listReferences(entity)]) {
      const parent = byName.get(reference);
      if (parent) visit(parent);
    }
    ordered.add(entity);
  };
  for (const entity of [...byName.values()]) if (byName.has(entity.name)) visit(entity);
  return [...ordered];
}
