import type { FieldError, FieldErrors } from './field-errors.ts';

/** Kong's one line for a set of errors: those of the record as a whole, then the fields by name, each with its dotted path. */
export function violation(errors: FieldErrors): string {
  const { '@entity': whole = [], ...fields } = errors;
  const messages = [...(whole as string[]), ...messagesOf(fields, '')];
  return messages.length === 1 ? `schema violation (${messages[0]})` : `${messages.length} schema violations (${messages.join('; ')})`;
}

function messagesOf(error: FieldError | null, path: string): string[] {
  if (error === null) return [];
  if (typeof error === 'string') return [`${path}: ${error}`];
  // Lua counts from one.
  if (Array.isArray(error)) return error.flatMap((member, index) => messagesOf(member, `${path}.${index + 1}`));
  const prefix = path === '' ? '' : `${path}.`;
  return Object.keys(error)
    .sort()
    .flatMap(name => {
      const inner = error[name] ?? null;
      return name === '@entity' ? (inner as string[]).map(message => `${prefix}@entity: ${message}`) : messagesOf(inner, prefix + name);
    });
}
