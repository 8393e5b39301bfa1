import type { Entity, Reference } from '../entities/entity.ts';
import { isObject } from '../lib/json.ts';
import { REDACTED } from '../lib/redact.ts';
import type { Fields } from './declarative-item.ts';
import { foreignFields } from './foreign-fields.ts';

// An entry without an id gets the one that Kong would give it. Source: kong/db/schema/others/declarative_config.lua of Kong 3.9.
const NAMESPACE = 'fd02801f-0957-4a15-a55a-c8d9606f30b5';

/** What tells the rows of an entity apart, in the words of messages: `name set to 'my-api'`. */
export class UniqueKeys {
  readonly #entity: Entity;
  readonly #alone: readonly string[];
  readonly #together: readonly string[];
  /** Fields that follow the endpoint key in what an id is made of: those of the parents below which alone it is unique. */
  readonly #parents: readonly string[];
  readonly #namespace: string;

  constructor(entity: Entity) {
    const { fields } = entity.schema;
    this.#entity = entity;
    this.#alone = Object.keys(fields).filter(name => fields[name]?.facts.unique);
    this.#together = entity.cacheKey ?? [];
    const cascading = foreignFields(entity).filter(({ onDelete }) => onDelete === 'cascade');
    this.#parents = this.#alone.includes(entity.endpointKey ?? '') ? [] : cascading.map(({ name }) => name);
    this.#namespace = Bun.randomUUIDv5(entity.name, NAMESPACE);
  }

  /** What no other row may say as well. */
  of(fields: Fields): string[] {
    const keys: string[] = [];
    for (const name of this.#alone) if (typeof fields[name] === 'string') keys.push(`${name} set to '${fields[name]}'`);
    if (this.#together.length > 0) {
      keys.push(`${this.#together.join(', ')} set to '${this.#together.map(name => part(fields[name])).join(', ')}'`);
    }
    return keys;
  }

  /** One of them as a message may say it. */
  shown(key: string): string {
    const { endpointKey, endpointIsSecret } = this.#entity;
    return endpointIsSecret && key.startsWith(`${endpointKey} set to `) ? `${endpointKey} set to '${REDACTED}'` : key;
  }

  ofId(id: string): string {
    return `primary key set to '${id}'`;
  }

  /** The id of a row that `row` names; what nothing names is told apart by all that the entry says. */
  generatedId(row: Fields, entry: Fields, isTaken: (id: string) => boolean): string {
    const { endpointKey = '', name: kind, schema } = this.#entity;
    // What the gateway made up tells nothing apart.
    const name = (schema.fields[endpointKey]?.facts.auto ? entry : row)[endpointKey];
    if (typeof name === 'string') return this.#id([name, ...this.#parents.map(parent => part(row[parent]))].join(':'));
    if (this.#together.length > 0) return this.#id([kind, ...this.#together.map(key => part(row[key]))].join(':'));
    for (let copy = 0; ; copy++) {
      const id = this.#id(JSON.stringify([entry, copy]));
      if (!isTaken(id)) return id;
    }
  }

  #id(name: string): string {
    return Bun.randomUUIDv5(name, this.#namespace);
  }
}

/** A value within a key of several: references by their ids, nothing as nothing. */
const part = (value: unknown) => String((isObject(value) ? (value as unknown as Reference).id : value) ?? '');
