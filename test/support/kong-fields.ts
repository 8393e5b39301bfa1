/** What a schema says of a field, in Kong's older words and in its newer ones. */
export interface Facts {
  readonly type?: unknown;
  readonly required?: unknown;
  readonly default?: unknown;
  readonly one_of?: readonly string[];
  readonly between?: unknown;
  readonly fields?: unknown;
  readonly properties?: unknown;
  readonly entity_checks?: unknown;
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
}

/** The fields below a record that Kong or sluice prints, by their paths: `model.options.bedrock.aws_region`. */
export function printedFields({ fields }: Facts, path = ''): Map<string, Facts> {
  const found = new Map<string, Facts>();
  for (const [name, facts] of (fields as Facts[]).flatMap(field => Object.entries(field) as [string, Facts][])) {
    const { fields: inner, entity_checks: _, ...own } = facts;
    found.set(path + name, Object.fromEntries(Object.entries(own).filter(([, fact]) => fact !== '<fn>')));
    if (inner !== undefined) for (const [below, its] of printedFields(facts, `${path}${name}.`)) found.set(below, its);
  }
  return found;
}

/** The same of Kong's newer schemas, which are JSON schemas. */
export function publishedFields({ properties = {} }: Facts, path = ''): Map<string, Facts> {
  const found = new Map<string, Facts>();
  for (const [name, facts] of Object.entries(properties as Record<string, Facts>)) {
    found.set(path + name, facts);
    for (const [below, its] of publishedFields(facts, `${path}${name}.`)) found.set(below, its);
  }
  return found;
}

/** The configuration's part of a schema that Kong 3.9 prints. */
export const configOf = (golden: { fields: object[] }) => (golden.fields.find(field => 'config' in field) as { config: Facts }).config;
