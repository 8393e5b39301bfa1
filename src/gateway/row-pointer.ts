import type { Entity } from '../entities/entity.ts';

/** A row, by what does not change of it. */
export interface RowPointer {
  readonly entity: Entity;
  readonly id: string;
}

export const keyOf = ({ entity, id }: { readonly entity: Pick<Entity, 'name'>; readonly id: string }): string => `${entity.name} ${id}`;
