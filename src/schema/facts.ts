/** Kong's types of field. */
export type FieldType = 'string' | 'integer' | 'number' | 'boolean' | 'array' | 'set' | 'map' | 'record' | 'foreign' | 'json';

/** A Lua pattern, as Kong's schemas print it, and what to say when it decides against a value. */
export interface LuaPattern {
  readonly pattern: string;
  readonly err?: string;
}

/** What any field may say about itself: Kong's own words, printed as they are at `GET /schemas/…`. */
export interface Facts {
  readonly required?: boolean;
  readonly default?: unknown;
  readonly unique?: boolean;
  readonly unique_across_ws?: boolean;
  /** Written and shown, but no column of the row's own: of `certificates`, `snis`. */
  readonly transient?: boolean;
  /** Not printed at `/schemas/…`: Kong has it without declaring it. */
  readonly hidden?: boolean;
  /** Takes no other value once a row has one. */
  readonly immutable?: boolean;
  /** Filled by the gateway when a row is inserted: ids and timestamps. */
  readonly auto?: boolean;
  /** Takes `{vault://…}` in place of a value. */
  readonly referenceable?: boolean;
  /** A secret: never in a log or an error. */
  readonly encrypted?: boolean;
  readonly description?: string;
  readonly deprecation?: Deprecation;

  /** With null: nothing but null will do. */
  readonly eq?: unknown;
  readonly ne?: unknown;
  readonly one_of?: readonly unknown[];
  readonly not_one_of?: readonly unknown[];
  readonly gt?: number;
  readonly between?: readonly [number, number];
  readonly timestamp?: boolean;
  readonly uuid?: boolean;
  readonly is_regex?: boolean;
  readonly len_eq?: number;
  /** A string without it must not be empty. */
  readonly len_min?: number;
  readonly len_max?: number;
  readonly starts_with?: string;
  /** Lua patterns, as Kong writes them. */
  readonly match?: string;
  readonly not_match?: string;
  readonly match_none?: readonly LuaPattern[];
  readonly match_all?: readonly LuaPattern[];
  readonly match_any?: { readonly patterns: readonly string[]; readonly err?: string };
  readonly contains?: unknown;
  readonly mutually_exclusive_subsets?: readonly (readonly string[])[];
  /** Takes the place of the message of whichever check fails. */
  readonly err?: string;
  /** A check that no word says: the message, or undefined when the value will do. */
  readonly custom_validator?: (value: never) => string | undefined;

  /** Of a foreign field: the entity it points at, and what becomes of the row when that goes. */
  readonly reference?: string;
  readonly on_delete?: 'cascade' | 'null' | 'restrict';
  /** Of a record whose fields a subschema says, such as a plugin's `config`. */
  readonly abstract?: boolean;
}

export interface Deprecation {
  readonly message: string;
  readonly removal_in_version?: string;
  readonly old_default?: unknown;
  /** Of a shorthand: the fields that say the same, as paths. Both may be given when they agree, and both are shown. */
  readonly replaced_with?: readonly { readonly path: readonly string[] }[];
}
