import { REDACTED } from '../lib/redact.ts';

/**
 * How paths are written down: without the segments that are secrets, the keys by which credentials are found. `secrets` are the
 * names that `paths` have for those segments. Of a path that is none of them, a misspelt one, only the beginning is known to be none.
 */
export function auditedPaths(paths: readonly string[], secrets: ReadonlySet<string>): (path: string) => string {
  const isSecret = (segment: string) => segment.startsWith(':') && secrets.has(segment.slice(1));
  const sourceOf = (segments: readonly string[]) =>
    segments.map(segment => (segment.startsWith(':') ? '[^/]+' : RegExp.escape(segment))).join('/');
  const split = paths.map(path => path.split('/'));
  const known = new RegExp(`^(?:${split.map(sourceOf).join('|')})/?$`);
  const hidden = split
    .filter(segments => segments.some(isSecret))
    .map(segments => ({
      expression: new RegExp(`^${sourceOf(segments)}/?$`),
      places: new Set(segments.flatMap((segment, index) => (isSecret(segment) ? [index] : []))),
    }));
  return path => {
    const segments = path.split('/');
    if (!known.test(path)) return segments.length > 2 ? [...segments.slice(0, 2), REDACTED].join('/') : path;
    const places = hidden.find(({ expression }) => expression.test(path))?.places;
    return places ? segments.map((segment, index) => (places.has(index) ? REDACTED : segment)).join('/') : path;
  };
}
