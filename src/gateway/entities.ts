import type { Entity } from '../entities/entity.ts';
import { coreEntities } from '../entities/registry.ts';
import type { Plugin } from '../plugins/plugin.ts';
import { vaults } from '../vaults/registry.ts';

/** The core's entities, then those that plugins bring along. */
export function entitiesOf(plugins: readonly Plugin[]): readonly Entity[] {
  const pluginOf = (name: string) => plugins.find(plugin => plugin.name === name) ?? null;
  const vaultConfigOf = (name: string) => vaults.find(vault => vault.name === name)?.config ?? null;
  return [...coreEntities(pluginOf, vaultConfigOf), ...plugins.flatMap(plugin => plugin.entities ?? [])];
}
