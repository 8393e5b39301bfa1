import type { Entity } from '../entities/entity.ts';
import { isObject } from '../lib/json.ts';
import { type Fields, labelOf, type Path } from './declarative-item.ts';
import type { Rewrite } from './declarative-items.ts';
import type { DeclarativeProblems } from './declarative-problems.ts';

/** Members of a file that speak to decK. */
export const DECK_MEMBERS = ['_info', '_workspace', '_konnect', '_plugin_configs'];

/** Does for the entries of a file what decK does before the gateway sees them. developer.konghq.com/deck/gateway/ defaults, tags, plugin configuration */
export function readDeckFile(file: Fields, entities: ReadonlyMap<string, Entity>, problems: DeclarativeProblems): Rewrite {
  const { _info: info, _workspace: workspace = null, _konnect: konnect = null, _plugin_configs: configs } = file;
  if (konnect !== null) problems.add(['_konnect'], '_konnect: ', 'a configuration of Konnect is not one of a gateway');
  if (workspace !== null && workspace !== 'default') {
    problems.add(['_workspace'], '_workspace: ', "there is no workspace but 'default'");
  }
  const { select_tags, defaults, default_lookup_tags: _, ...others } = recordAt(info, ['_info'], problems);
  for (const name of Object.keys(others)) problems.add(['_info', name], `_info.${name}: `, 'unknown field');
  const tags = selectTags(select_tags, problems);
  const defaultsOf = readDefaults(recordAt(defaults, ['_info', 'defaults'], problems), entities, problems);
  const shared = recordAt(configs, ['_plugin_configs'], problems);
  return (entity, fields, path) => {
    const filled = withDefaults(withTags(entity, fields, tags), defaultsOf.get(entity.name) ?? {});
    return entity.name === 'plugins' ? withConfig(entity, filled, path, shared, problems) : filled;
  };
}

function recordAt(value: unknown, path: Path, problems: DeclarativeProblems): Fields {
  if (isObject(value)) return value;
  if (value !== undefined && value !== null) problems.add(path, `${path.join('.')}: `, 'expected a record');
  return {};
}

/** The tags that a file gives to all of its entries. */
function selectTags(tags: unknown, problems: DeclarativeProblems): readonly string[] {
  if (tags === undefined || tags === null) return [];
  if (Array.isArray(tags) && tags.every(tag => typeof tag === 'string')) return tags;
  problems.add(['_info', 'select_tags'], '_info.select_tags: ', 'expected an array of strings');
  return [];
}

function withTags(entity: Entity, fields: Fields, added: readonly string[]): Fields {
  const { tags } = fields;
  if (added.length === 0 || !('tags' in entity.schema.fields) || !(tags == null || Array.isArray(tags))) return fields;
  return { ...fields, tags: [...new Set([...(tags ?? []), ...added])] };
}

/** By the names of entities, which defaults call in the singular. */
function readDefaults(defaults: Fields, entities: ReadonlyMap<string, Entity>, problems: DeclarativeProblems): ReadonlyMap<string, Fields> {
  const found = new Map<string, Fields>();
  for (const [singular, value] of Object.entries(defaults)) {
    const path = ['_info', 'defaults', singular];
    const entity = entities.get(`${singular}s`);
    if (!entity) problems.add(path, `${path.join('.')}: `, 'unknown field');
    const { fields = {}, facts } = entity?.schema ?? {};
    const values = recordAt(value, path, problems);
    for (const name of Object.keys(values)) {
      if (!entity || Object.hasOwn(fields, name) || Object.hasOwn(facts?.shorthand_fields ?? {}, name)) continue;
      problems.add([...path, name], `${[...path, name].join('.')}: `, 'unknown field');
    }
    found.set(`${singular}s`, values);
  }
  return found;
}

/** A null asks for the default, as nothing does. */
function withDefaults(fields: Fields, defaults: Fields): Fields {
  const missing = Object.entries(defaults).map(([name, value]) => {
    const given = fields[name] ?? null;
    return [name, isObject(given) && isObject(value) ? withDefaults(given, value) : (given ?? value)] as const;
  });
  return missing.length === 0 ? fields : { ...fields, ...Object.fromEntries(missing) };
}

/** `_config` names a configuration that several plugins share; what a plugin says for itself wins. */
function withConfig(entity: Entity, fields: Fields, path: Path, shared: Fields, problems: DeclarativeProblems): Fields {
  const { _config: name, ...own } = fields;
  if (name === undefined || name === null) return own;
  const config = typeof name === 'string' && Object.hasOwn(shared, name) ? shared[name] : undefined;
  if (!isObject(config)) {
    const message = `there is no record ${JSON.stringify(name)} in _plugin_configs`;
    problems.add([...path, '_config'], `${labelOf({ entity, fields, path })}_config: `, message);
    return own;
  }
  const { config: given = null } = own;
  return given === null || isObject(given) ? { ...own, config: { ...config, ...given } } : own;
}
