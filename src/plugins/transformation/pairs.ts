/** What Kong's transformers take for `name:value`: the name ends at the first colon, the value begins after the last of those that follow. */
export function pairOf(entry: string): readonly [name: string, value: string] {
  const [, name = '', value = ''] = /^([^:]+):*(.*)$/s.exec(entry) ?? [];
  return [name, value];
}

/** As Kong's `validate_header_name`. */
export const isPlainHeaderName = (name: string): boolean => /^[\w-]+$/.test(name);

/** What is wrong with a header that says how the body comes: whoever sends the body says that. */
export const framingError = (name: string): string | undefined =>
  /^(?:content-length|transfer-encoding)$/i.test(name) ? `'${name}' is for the gateway to say: it depends on the body` : undefined;
