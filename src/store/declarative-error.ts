import { EntityError } from '../entities/entity-error.ts';

type Fields = Readonly<Record<string, unknown>>;

/** What is wrong with one entry, as Kong's `flattened_errors` say it. */
export interface FlattenedError {
  /** In the singular. */
  readonly entity_type: string;
  readonly entity_id?: string;
  readonly entity_name?: string;
  readonly entity_tags?: readonly string[];
  readonly entity: Fields;
  readonly errors: readonly ({ readonly type: 'field'; readonly field: string; readonly message: string } | EntityMessage)[];
}

interface EntityMessage {
  readonly type: 'entity';
  readonly message: string;
}

/** Why a file cannot be the configuration: the message has a line for each reason. */
export class DeclarativeError extends EntityError {
  readonly flattened: readonly FlattenedError[];
  /** Of `fields`, what is in no entry. */
  readonly others: Fields;

  constructor(message: string, fields: Fields, flattened: readonly FlattenedError[] = [], others: Fields = fields) {
    super('invalid declarative configuration', message, fields);
    this.flattened = flattened;
    this.others = others;
  }
}
