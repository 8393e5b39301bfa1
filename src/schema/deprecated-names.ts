import { isObject } from '../lib/json.ts';
import { valueAt } from './dotted-name.ts';
import type { RecordField } from './field.ts';
import { specialize } from './subschema.ts';

type Values = Readonly<Record<string, unknown>>;
type Show = (values: Values) => Values;

const shows = new WeakMap<RecordField, Show>();

/** A row as Kong answers it: deprecated names say again what those say that took their places, to clients that know no others. */
export function withDeprecatedNames(schema: RecordField, row: Values): Values {
  const record = specialize(schema, row) ?? schema;
  const show = shows.get(record) ?? makeShow(record) ?? asItIs;
  shows.set(record, show);
  return show(row);
}

const asItIs: Show = values => values;

/** Undefined where nothing in the record has a name of old, which is the rule. */
function makeShow({ fields, facts }: RecordField): Show | undefined {
  const old = Object.entries(facts.shorthand_fields ?? {}).flatMap(([name, { field }]) => {
    const [replacement] = field.facts.deprecation?.replaced_with ?? [];
    return replacement ? [{ name, path: replacement.path.join('.') }] : [];
  });
  const inner = Object.entries(fields).flatMap(([name, field]) => {
    const show = field.type === 'record' ? makeShow(field as RecordField) : undefined;
    return show ? [{ name, show }] : [];
  });
  if (old.length === 0 && inner.length === 0) return undefined;
  return values => {
    const shown: Record<string, unknown> = { ...values };
    for (const { name, show } of inner) if (isObject(values[name])) shown[name] = show(values[name]);
    for (const { name, path } of old) shown[name] = valueAt(values, path) ?? null;
    return shown;
  };
}
