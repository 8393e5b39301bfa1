import { ConfigurationError } from '../lib/configuration-error.ts';

// Options may come from templates, that is from clients, who must not choose where the gateway's credentials go.

/** One label of a host name. Throws a ConfigurationError for anything else, such as another host. */
export function hostLabel(value: string | null | undefined, field: string): string {
  if (!/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i.test(value ?? '')) {
    throw new ConfigurationError('must be letters, digits and dashes, as one part of a host name', field);
  }
  return value ?? '';
}

/** One segment of a path, escaped. Throws a ConfigurationError for one that would lead elsewhere. */
export function pathSegment(value: string | null | undefined, field: string): string {
  if (value == null || value === '') throw new ConfigurationError('must not be empty', field);
  if (value === '.' || value === '..' || !value.isWellFormed()) throw new ConfigurationError('cannot stand in a path', field);
  return encodeURIComponent(value);
}
