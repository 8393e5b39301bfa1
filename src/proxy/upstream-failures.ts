import { RequestFailure } from '../lib/request-failure.ts';
import { FAILURES } from './failures.ts';
import type { RequestContext } from './request-context.ts';

const NAME_FAILED = 'name resolution failed';

/** Nobody was reached in time. */
export const CONNECT_TIMEOUT = 'CONNECT_TIMEOUT';

/** The request has not left: it may be sent again, whatever it asks for. */
export const NOT_CONNECTED: ReadonlySet<string> = new Set(['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', CONNECT_TIMEOUT]);
/** What has been sent may have been done: as nginx, these are not sent twice. */
export const NOT_IDEMPOTENT: ReadonlySet<string> = new Set(['POST', 'LOCK', 'PATCH']);
const NAME_FAILURES: ReadonlySet<string> = new Set(['ENOTFOUND', 'EAI_AGAIN', 'EAI_FAIL', 'ESERVFAIL', 'ETIMEOUT']);
const TIMEOUTS: ReadonlySet<string> = new Set(['TimeoutError', 'ETIMEDOUT', CONNECT_TIMEOUT]);

/** Of a service that says nothing of retries, and of a route without one. */
export const DEFAULT_RETRIES = 5;

export const isTimeout = (code: string): boolean => TIMEOUTS.has(code);

/** What a client is told. */
export function failureFor(code: string): RequestFailure {
  if (NAME_FAILURES.has(code)) return new RequestFailure(503, NAME_FAILED);
  const status = isTimeout(code) ? 504 : 502;
  return new RequestFailure(status, FAILURES[status]);
}

/** Bun's TimeoutError has a number for its code. */
export function codeOf(error: unknown): string {
  const { code, name } = error as { code?: unknown; name?: string };
  return typeof code === 'string' ? code : (name ?? 'Error');
}

/** Throws for a status that no answer can have. */
export function checkStatus(response: Response, { tunnel }: Pick<RequestContext, 'tunnel'>): Response {
  const { status } = response;
  if ((status >= 200 && status <= 599) || tunnel !== null) return response;
  void response.body?.cancel();
  throw badStatus(status);
}

export const badStatus = (status: number): Error => Object.assign(new Error(`status ${status}`), { code: 'BAD_STATUS' });
