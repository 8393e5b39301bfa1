import type { RecordField } from '../schema/field.ts';
import { consumer } from './consumer.ts';
import type { Entity } from './entity.ts';
import { pluginEntity } from './plugin-entity.ts';
import { route } from './route.ts';
import { service } from './service.ts';
import { vaultEntity } from './vault.ts';

/** What `config` of a row holds, by the name of its kind; null: there is no such kind here. */
export type ConfigOf = (name: string) => RecordField | null;

/** Every entity of the core: one line adds one. Plugins bring their own besides. */
export const coreEntities = (pluginConfigOf: ConfigOf, vaultConfigOf: ConfigOf): readonly Entity[] => [
  service,
  route,
  consumer,
  pluginEntity(pluginConfigOf),
  vaultEntity(vaultConfigOf),
];
