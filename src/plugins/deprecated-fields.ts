import type { Log } from '../lib/log.ts';
import type { RecordField } from '../schema/field.ts';

/** What a field says that works as before and is to go. */
export const deprecated = <Default>(message: string, old_default: Default) => ({
  deprecation: { message, old_default, removal_in_version: '4.0' },
});

/** Says of each deprecated field that differs from its old default what to write instead. */
export function warnOfDeprecated({ fields }: RecordField, config: Readonly<Record<string, unknown>>, name: string, log: Log): void {
  for (const [field, { facts }] of Object.entries(fields)) {
    const { message, old_default } = facts.deprecation ?? {};
    const value = config[field] ?? null;
    if (message !== undefined && value !== null && value !== old_default) log.warn(`${name}: ${message}`);
  }
}
