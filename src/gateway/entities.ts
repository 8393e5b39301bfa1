import type { Entity } from '../entities/entity.ts';
import { coreEntities } from '../entities/registry.ts';
import type { Plugin } from '../plugins/plugin.ts';
import { plugins as allPlugins } from '../plugins/registry.ts';
import { vaults } from '../vaults/registry.ts';

/** The core's entities, then those that plugins bring along, enabled or not: a consumer that goes takes all of its credentials. */
export function entitiesOf(plugins: readonly Plugin[]): readonly Entity[] {
  const pluginOf = (name: string) => plugins.find(plugin => plugin.name === name) ?? null;
  const vaultConfigOf = (name: string) => vaults.find(vault => vault.name === name)?.config ?? null;
  return [...coreEntities(pluginOf, vaultConfigOf), ...allPlugins.flatMap((plugin: Plugin) => plugin.entities ?? [])];
}
