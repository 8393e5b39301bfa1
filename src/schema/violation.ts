import type { FieldErrors } from './validate.ts';

/** Kong's one line for a set of errors: `schema violation (a.b: message)`. */
export function violation(errors: FieldErrors): string {
  const messages = flat(errors);
  return messages.length === 1 ? `schema violation (${messages[0]})` : `${messages.length} schema violations (${messages.join('; ')})`;
}

function flat(errors: FieldErrors, prefix = ''): string[] {
  const whole = errors['@entity'] as string[] | undefined;
  const names = Object.keys(errors)
    .filter(name => name !== '@entity')
    .sort();
  return [
    ...(whole ?? []).map(message => (prefix ? `${prefix.slice(0, -1)}: ${message}` : message)),
    ...names.flatMap(name => messagesOf(errors[name], prefix + name)),
  ];
}

function messagesOf(error: FieldErrors[string] | null | undefined, path: string): string[] {
  if (error === null || error === undefined) return [];
  if (typeof error === 'string') return [`${path}: ${error}`];
  if (Array.isArray(error)) return error.flatMap((member, index) => messagesOf(member, `${path}.${index + 1}`));
  return flat(error, `${path}.`);
}
