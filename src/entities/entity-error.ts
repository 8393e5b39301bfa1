/** Kong's table of errors: name, number and HTTP status. Source: the Admin API reference and kong/db/errors.lua of Kong 3.9. */
const ERRORS = {
  'invalid primary key': { code: 1, status: 400 },
  'schema violation': { code: 2, status: 400 },
  'primary key violation': { code: 3, status: 400 },
  'foreign key violation': { code: 4, status: 400 },
  'unique constraint violation': { code: 5, status: 409 },
  'not found': { code: 6, status: 404 },
  'invalid offset': { code: 7, status: 400 },
  'database error': { code: 8, status: 500 },
  'invalid size': { code: 9, status: 400 },
  'invalid unique': { code: 10, status: 400 },
  'invalid options': { code: 11, status: 400 },
  'operation unsupported': { code: 12, status: 405 },
  'foreign keys unresolved': { code: 13, status: 400 },
  'invalid declarative configuration': { code: 14, status: 400 },
  'invalid foreign key': { code: 16, status: 400 },
  'invalid workspace': { code: 17, status: 400 },
  'referenced by others': { code: 19, status: 400 },
} as const;

export type EntityErrorName = keyof typeof ERRORS;

/** Why a row cannot be written or found. The Admin API answers `body` with `status`. */
export class EntityError extends Error {
  override readonly name: EntityErrorName;
  /** What is wrong, field by field; or, when a key is taken or leads nowhere, that key. */
  readonly fields: Readonly<Record<string, unknown>> | undefined;
  /** The field that an `invalid unique` is about, which Kong says in the error's name. */
  private readonly about: string | undefined;

  constructor(name: EntityErrorName, message: string, fields?: Readonly<Record<string, unknown>>, about?: string) {
    super(message);
    this.name = name;
    this.fields = fields;
    this.about = about;
  }

  get code(): number {
    return ERRORS[this.name].code;
  }

  get status(): number {
    return ERRORS[this.name].status;
  }

  get body() {
    const details = this.name === 'invalid options' ? { options: this.fields } : { fields: this.fields };
    const name = this.about === undefined ? this.name : `${this.name} ${this.about}`;
    return { message: this.message, name, code: this.code, ...(this.fields && details) };
  }
}
