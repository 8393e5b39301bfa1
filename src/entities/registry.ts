import type { RecordField } from '../schema/field.ts';
import { caCertificate } from './ca-certificate.ts';
import { certificate } from './certificate.ts';
import { consumer } from './consumer.ts';
import { consumerGroup } from './consumer-group.ts';
import { consumerGroupConsumer } from './consumer-group-consumer.ts';
import type { Entity } from './entity.ts';
import { key } from './key.ts';
import { keySet } from './key-set.ts';
import { type PluginSchema, pluginEntity } from './plugin-entity.ts';
import { route } from './route.ts';
import { service } from './service.ts';
import { sni } from './sni.ts';
import { target } from './target.ts';
import { upstream } from './upstream.ts';
import { vaultEntity } from './vault.ts';

/** What `config` of a row holds, by the name of its kind. Null, here as of plugins: there is no such kind. */
export type ConfigOf = (name: string) => RecordField | null;

/** Every entity of the core: one line adds one. Plugins bring their own besides. */
export const coreEntities = (pluginSchemaOf: (name: string) => PluginSchema | null, vaultConfigOf: ConfigOf): readonly Entity[] => [
  service,
  route,
  consumer,
  consumerGroup,
  consumerGroupConsumer,
  upstream,
  target,
  certificate,
  sni,
  caCertificate,
  keySet,
  key,
  pluginEntity(pluginSchemaOf),
  vaultEntity(vaultConfigOf),
];
