import { consumerGroup } from '../../entities/consumer-group.ts';
import { consumerGroupConsumer } from '../../entities/consumer-group-consumer.ts';
import { normalizePath } from '../../lib/path-normalization.ts';
import type { Context } from '../context.ts';
import type { Host, PluginInstance } from '../plugin.ts';

export interface IdentifierConfig {
  readonly limit_by: 'consumer' | 'credential' | 'ip' | 'service' | 'header' | 'path' | 'consumer-group' | null;
  readonly header_name?: string | null;
  readonly path?: string | null;
}

/** In keys, for rows that are for no route or no service alone. */
const NOBODY = '00000000-0000-0000-0000-000000000000';

/** Of an identifier as it is. */
const LONGEST = 256;

/** Rows for the same route and service count together. */
export const scopeOf = ({ route, service }: PluginInstance): string => `${route ?? NOBODY}:${service ?? NOBODY}`;

type Identify = (context: Context) => string;

/** Whose requests are counted together. Who cannot be told so is told by the address. */
export function identifierBy({ limit_by, header_name, path }: IdentifierConfig, host: Host, instance: PluginInstance): Identify {
  switch (limit_by) {
    case 'service':
      return context => context.service?.id ?? context.clientIp;
    case 'consumer':
      return context => context.consumer?.id ?? context.credential?.id ?? context.clientIp;
    case 'credential':
      return context => context.credential?.id ?? context.clientIp;
    case 'header':
      return context => shortened(context.request.headers.get(header_name ?? '') ?? context.clientIp);
    case 'path':
      return byPath(normalizePath(path ?? ''));
    case 'consumer-group':
      return byGroup(host, instance);
    default:
      return context => context.clientIp;
  }
}

/** However it is spelt: as the router and the upstream read it. */
const byPath =
  (path: string): Identify =>
  context =>
    normalizePath(context.path) === path ? path : context.clientIp;

/** What clients make up may be long, and is kept until its period ends. */
function shortened(text: string): string {
  return text.length <= LONGEST ? text : Bun.SHA256.hash(text, 'hex');
}

/** The group that the row is for, else the first of the consumer's groups by name. */
function byGroup(host: Host, { consumerGroup: own }: PluginInstance): Identify {
  if (own !== null) return () => own;
  const memberships = host.pointingAt(consumerGroupConsumer, 'consumer');
  const groupOf = host.lookup(consumerGroup, 'id');
  return ({ consumer, clientIp }) => {
    if (consumer === null) return clientIp;
    const groups = [...memberships(consumer.id)].flatMap(row => groupOf(row.consumer_group.id) ?? []);
    groups.sort((a, b) => (a.name < b.name ? -1 : 1));
    return groups[0]?.id ?? clientIp;
  };
}
