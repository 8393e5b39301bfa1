/** What Kong's transformers take for `name:value`: the name ends at the first colon, the value begins after the last of those that follow. */
export function pairOf(entry: string): readonly [name: string, value: string] {
  const [, name = '', value = ''] = /^([^:]+):*(.*)$/s.exec(entry) ?? [];
  return [name, value];
}

/** As Kong's `validate_header_name`. */
export const isPlainHeaderName = (name: string): boolean => /^[\w-]+$/.test(name);

/** Headers that say how the body comes: whoever sends it says that. */
export const FRAMING: ReadonlySet<string> = new Set(['content-length', 'transfer-encoding']);
