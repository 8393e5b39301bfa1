import { type Errors, violation } from './answers.ts';

/** One request, and what must come back. What is not given is not looked at; a path may follow from the last list. */
export interface Step {
  readonly method: string;
  readonly path: string | ((last: List) => string);
  /** An object travels as JSON and, where a form can say the same, as a form; text travels as it is. */
  readonly body?: object | string | undefined;
  /** Of a body that is text. */
  readonly type?: string;
  readonly status: number;
  /** A function looks at the answer itself. */
  readonly answer?: unknown;
  /** Headers that the answer must have. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** The last list that was answered, whatever came after it. */
export interface List {
  readonly next: string;
}

/** Steps that begin with nothing configured. `jsonOnly`: a form cannot say this, since it has no types of its own. */
export interface Scenario {
  readonly jsonOnly?: true;
  readonly steps: readonly Step[];
}

/** Scenarios by what they show. */
export type Table = Readonly<Record<string, readonly Step[] | Scenario>>;

type Path = Step['path'];

export const get = (path: Path, status: number, answer?: unknown): Step => ({ method: 'GET', path, status, answer });
export const post = (path: Path, body: object | undefined, status: number, answer?: unknown): Step => ({
  method: 'POST',
  path,
  body,
  status,
  answer,
});
export const put = (path: Path, body: object | undefined, status: number, answer?: unknown): Step => ({
  method: 'PUT',
  path,
  body,
  status,
  answer,
});
export const patch = (path: Path, body: object | undefined, status: number, answer?: unknown): Step => ({
  method: 'PATCH',
  path,
  body,
  status,
  answer,
});
export const remove = (path: Path, status = 204, answer?: unknown): Step => ({ method: 'DELETE', path, status, answer });

/** Refused bodies of one path, each with the fields that are wrong: a step each. */
export const refused = (method: string, path: string, cases: readonly (readonly [body: object, fields: Errors])[]): Step[] =>
  cases.map(([body, fields]) => ({ method, path, body, status: 400, answer: violation(fields) }));

export const jsonOnly = (steps: readonly Step[]): Scenario => ({ jsonOnly: true, steps });

/** Ids that nothing has unless a scenario gives them away. */
export const [ID, OTHER_ID, THIRD_ID, NOBODY] = [
  '11111111-1111-4111-8111-111111111111',
  '22222222-2222-4222-8222-222222222222',
  '33333333-3333-4333-8333-333333333333',
  'eeeeeeee-eeee-4eee-8eee-eeeeeeeeeeee',
] as const;
