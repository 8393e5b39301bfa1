import { describe as describeTests, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Plugin } from '../../src/plugins/plugin.ts';
import { plugins } from '../../src/plugins/registry.ts';
import { describe } from '../../src/schema/describe.ts';
import { printedFields } from '../support/kong-fields.ts';

const folder = join(import.meta.dir, '..');

/** Where fields are listed, not tried. */
const LISTS = /^fixtures\/|\/describe[^/]*\.test\.ts$|\/field-coverage\.test\.ts$/;

const files = [...new Bun.Glob('**/*.ts').scanSync(folder)]
  .filter(file => !LISTS.test(file))
  .map(file => ({ file, text: readFileSync(join(folder, file), 'utf8') }));

/** Fields that several plugins declare once, and whose tests try them for all. */
const SHARED: readonly (readonly [fields: RegExp, triedBy: RegExp])[] = [
  [/^queue\./, /^lib\/batch-queue\.|^plugins\/http-log\./],
  [/^redis\./, /^lib\/redis\.|^plugins\/rate-limiting\.|^plugins\/rate-limits\//],
  [/^(llm\.)?(model|auth|logging|model_name_header)\b/, /^plugins\/llm\/|^providers\/|^plugins\/ai-proxy/],
  [/^(llm|https?_)/, /^plugins\/ai-request-transformer\.|^support\/transformation\./],
];

/** Fields that no test names, `plugin.field`, each with the reason. */
const EXCEPTIONS: Readonly<Record<string, string>> = { 'acl.created_at': 'filled in as for every entity' };

/** Tests of the plugin, and those that configure it. */
function triedBy({ name }: Pick<Plugin, 'name'>): (file: (typeof files)[number]) => boolean {
  const named = new RegExp(`['"]${name}['"]|plugins/${name}[./]|name=${name}\\b`);
  return ({ file, text }) => file.includes(`/${name}`) || named.test(text);
}

/** Whether a test has the field as a member: `name: …`, `name,`, `config.name=…`. */
const names = (text: string, field: string) => new RegExp(`(?<![\\w-])${field}(\\[\\])?['"]?(?=\\s*[:,}=\\]])`).test(text);

function untried(plugin: Pick<Plugin, 'name'>, fields: readonly string[]): readonly string[] {
  const own = triedBy(plugin);
  return fields.filter(path => {
    const others = SHARED.filter(([shared]) => shared.test(path)).map(([, by]) => by);
    const field = path.slice(path.lastIndexOf('.') + 1);
    return !files.some(file => (own(file) || others.some(by => by.test(file.file))) && names(file.text, field));
  });
}

/** Those of its configuration, and of the rows that it brings along. */
const fieldsOf = ({ config, entities = [] }: Plugin) =>
  [config, ...entities.map(({ schema }) => schema)].flatMap(record => [...printedFields(describe(record)).keys()]);

describeTests('every field of a plugin is tried by a test', () => {
  test.each(plugins.map(plugin => [plugin.name, plugin] as const))('%s', (name, plugin) => {
    expect(untried(plugin, fieldsOf(plugin)).filter(field => !(`${name}.${field}` in EXCEPTIONS))).toEqual([]);
  });

  test('and a field that none tries is found', () => {
    expect(untried({ name: 'key-auth' }, ['key_names', 'a_field_of_tomorrow'])).toEqual(['a_field_of_tomorrow']);
  });

  test('and an exception is one that no test tries', () => {
    const untriedFields = (plugins as readonly Plugin[]).flatMap(plugin =>
      untried(plugin, fieldsOf(plugin)).map(field => `${plugin.name}.${field}`),
    );
    expect(Object.keys(EXCEPTIONS).filter(field => !untriedFields.includes(field))).toEqual([]);
  });
});
