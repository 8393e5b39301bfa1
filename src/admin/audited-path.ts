import { REDACTED } from '../lib/redact.ts';

/**
 * How paths are written down: without the segments that are secrets, the keys by which credentials are found. `secrets` are the
 * names that `paths` have for those segments.
 */
export function auditedPaths(paths: readonly string[], secrets: ReadonlySet<string>): (path: string) => string {
  const isSecret = (segment: string) => segment.startsWith(':') && secrets.has(segment.slice(1));
  const patterns = paths.map(path => path.split('/')).filter(segments => segments.some(isSecret));
  const hidden = patterns.map(segments => ({
    expression: new RegExp(`^${segments.map(segment => (segment.startsWith(':') ? '[^/]+' : RegExp.escape(segment))).join('/')}$`),
    places: new Set(segments.flatMap((segment, index) => (isSecret(segment) ? [index] : []))),
  }));
  return path => {
    const places = hidden.find(({ expression }) => expression.test(path))?.places;
    return places
      ? path
          .split('/')
          .map((segment, index) => (places.has(index) ? REDACTED : segment))
          .join('/')
      : path;
  };
}
