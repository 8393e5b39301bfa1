import type { Context } from 'hono';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** What a write was about, for the audit log. */
export interface Subject {
  readonly entity: string;
  readonly id: string | null;
}

interface Variables {
  requestId: string;
  /** The request came with the token. */
  authenticated: boolean;
  subject: Subject;
}

/** What a context holds besides the request. `address` is the client's; null: not known. */
export interface Environment {
  Variables: Variables;
  Bindings: { readonly address: string | null };
}

export type AdminContext = Context<Environment>;

type Handler = (context: AdminContext) => Response | Promise<Response>;

/** One path of the API and what may be done there. `:name` stands for one segment. */
export interface Endpoint {
  readonly path: string;
  readonly methods: { readonly [M in Method]?: Handler };
}

/** A segment of the path, percent-decoded. */
export const segment = (context: AdminContext, name: string): string => context.req.param(name) ?? '';

export const notFound = (context: AdminContext): Response => context.json({ message: 'Not found' }, 404);

export const methodNotAllowed = (context: AdminContext): Response => context.json({ message: 'Method not allowed' }, 405);
