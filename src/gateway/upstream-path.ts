import type { Route } from '../entities/route.ts';

export type PathHandling = Pick<Route, 'strip_path' | 'path_handling'>;

/**
 * The path that the upstream sees. `stripped` is how much of the request's path the route matched and strips.
 * Kong's table of both ways to join: https://developer.konghq.com/gateway/entities/route/#path-handling-algorithms
 */
export function upstreamPath({ strip_path, path_handling }: PathHandling, servicePath: string, path: string, stripped: number): string {
  const rest = strip_path && stripped > 0 ? withoutLeadingDots(path.slice(stripped)) : path.slice(1);
  return path_handling === 'v1' ? join(servicePath, rest, strip_path) : joinBySegments(servicePath, rest, strip_path, path);
}

/** What follows a stripped prefix must not climb: of `/api../secret` stripped by `/api`, `secret` is left. */
function withoutLeadingDots(rest: string): string {
  if (rest === '.' || rest === '..') return '';
  if (rest.startsWith('./')) return rest.slice(2);
  return rest.startsWith('../') ? rest.slice(3) : rest;
}

/** v1: one after the other. */
const join = (base: string, rest: string, strips: boolean) =>
  strips && base.endsWith('/') && rest.startsWith('/') ? base + rest.slice(1) : base + rest;

/** v0: with one slash between, and a slash at the end where the request had one. */
function joinBySegments(base: string, rest: string, strips: boolean, path: string): string {
  const trunk = base.endsWith('/') ? base.slice(0, -1) : base;
  if (rest !== '') return rest.startsWith('/') ? trunk + rest : `${trunk}/${rest}`;
  if (!strips) return base;
  return trunk === '' || (path.length > 1 && path.endsWith('/')) ? `${trunk}/` : trunk;
}
