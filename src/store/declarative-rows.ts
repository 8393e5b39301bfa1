import type { Entity, Reference, Row } from '../entities/entity.ts';
import { isObject } from '../lib/json.ts';
import { createPauses } from '../lib/pauses.ts';
import type { Fields, Item } from './declarative-item.ts';
import type { DeclarativeProblems } from './declarative-problems.ts';
import { type Destination, EntityRows } from './entity-rows.ts';
import { type ForeignField, foreignFields, type ListReference, listReferences } from './foreign-fields.ts';
import { NO_ID } from './row-maker.ts';

/** Turns the entries of a file into whole rows. Entities must come parents first: children are named after them. */
export class DeclarativeRows {
  readonly #destination: Destination;
  readonly #problems: DeclarativeProblems;
  readonly #ids = new Map<Item, string>();
  readonly #pause = createPauses();
  readonly #byEntity = new Map<string, EntityRows>();

  constructor(destination: Destination, problems: DeclarativeProblems) {
    this.#destination = destination;
    this.#problems = problems;
  }

  async add(entity: Entity, items: readonly Item[]): Promise<void> {
    if (items.length === 0) return;
    const rows = new EntityRows(entity, this.#destination, this.#problems);
    this.#byEntity.set(entity.name, rows);
    const foreign = foreignFields(entity);
    const lists = listReferences(entity);
    for (const item of [...items.filter(({ mention }) => !mention), ...items.filter(({ mention }) => mention)]) {
      const references = this.#references(item, foreign);
      for (const list of lists) this.#checkList(item, list);
      this.#ids.set(item, rows.add(item, { ...item.fields, ...references }));
      await this.#pause();
    }
    rows.refuseDisputed();
  }

  of({ name }: Entity): readonly Row[] {
    return this.#byEntity.get(name)?.rows ?? [];
  }

  /** The entry that became the row with this id. */
  itemOf(id: string): Item | undefined {
    for (const [item, own] of this.#ids) if (own === id && !item.mention) return item;
    return undefined;
  }

  /** The foreign fields of an entry as `{ id }`, whatever way the file says them. */
  #references(item: Item, fields: readonly ForeignField[]): Fields {
    const references: Record<string, Reference | null> = {};
    for (const field of fields) {
      const value = item.fields[field.name];
      const outer = item.around.get(field.name);
      const around = outer && this.#ids.get(outer);
      if (value === undefined && around === undefined) continue;
      const id = value === undefined || value === null ? around : this.#resolve(item, field, value);
      if (around !== undefined && id !== around) {
        this.#problems.addTo(item, [field.name], 'value must be null, or the entry around this one');
      }
      references[field.name] = id === undefined ? null : { id };
    }
    return references;
  }

  /** Of what leads nowhere, an id that nothing has: one problem is enough. */
  #resolve(item: Item, { name, reference }: ForeignField, value: unknown): string {
    const { id = Object.values(isObject(value) ? value : {})[0] } = isObject(value) ? value : { id: value };
    const found = typeof id === 'string' ? this.#named(reference, id) : undefined;
    if (found !== undefined) return found;
    const shown = typeof value === 'string' ? value : JSON.stringify(value);
    this.#problems.addTo(item, [name], `invalid reference '${name}: ${shown}' (no such entry in '${reference}')`);
    return Bun.randomUUIDv5(shown, NO_ID);
  }

  #checkList(item: Item, { name, reference }: ListReference): void {
    const ids = item.fields[name];
    for (const [index, id] of (Array.isArray(ids) ? ids : []).entries()) {
      if (typeof id !== 'string' || this.#named(reference, id) !== undefined) continue;
      this.#problems.addTo(item, [name, index], `invalid reference '${id}' (no such entry in '${reference}')`);
    }
  }

  /** The id of the entry, or of the store's row, with this id or endpoint key. */
  #named(entityName: string, key: string): string | undefined {
    const { store, keepsOthers } = this.#destination;
    const names = this.#byEntity.get(entityName)?.names;
    const entity = store.entities.get(entityName);
    const row = entity && keepsOthers ? store.find(entity, key) : undefined;
    return names?.get(key) ?? names?.get(key.toLowerCase()) ?? row?.id;
  }
}
