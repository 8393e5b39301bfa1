import { consumerGroup } from '../../entities/consumer-group.ts';
import { consumerGroupConsumer } from '../../entities/consumer-group-consumer.ts';
import { RequestFailure } from '../../lib/request-failure.ts';
import { array, boolean, record, string } from '../../schema/field.ts';
import { noConsumer, noConsumerGroup, protocolsHttp } from '../../schema/typedefs.ts';
import { headerText } from '../authentication/consumer-headers.ts';
import type { Context } from '../context.ts';
import { definePlugin } from '../plugin.ts';
import { aclEntity } from './acl-entity.ts';

const GROUP_HEADERS = ['x-consumer-groups', 'x-authenticated-groups'] as const;

const FORBIDDEN = new RequestFailure(403, 'You cannot consume this service');
const UNAUTHORIZED = new RequestFailure(401, 'Unauthorized');

/** Lets in consumers by the groups they are in. */
export const acl = definePlugin({
  name: 'acl',
  priority: 950,
  fields: { consumer: noConsumer, consumer_group: noConsumerGroup, protocols: protocolsHttp },
  entities: [aclEntity],
  config: record(
    {
      allow: array(string()),
      deny: array(string()),
      hide_groups_header: boolean({ required: true, default: false }),
      always_use_authenticated_groups: boolean({ required: true, default: false }),
      include_consumer_groups: boolean({ default: false }),
    },
    { required: true },
  ),
  entity_checks: [{ only_one_of: ['config.allow', 'config.deny'] }, { at_least_one_of: ['config.allow', 'config.deny'] }],

  configure(config, host) {
    const { always_use_authenticated_groups: prefersAuthenticated, include_consumer_groups: includesConsumerGroups } = config;
    const allowed = config.allow?.length ? new Set(config.allow) : null;
    const denied = new Set(config.deny);
    const aclsOf = host.pointingAt(aclEntity, 'consumer');
    const membershipsOf = host.pointingAt(consumerGroupConsumer, 'consumer');
    const groupById = host.lookup(consumerGroup, 'id');

    return {
      access(context) {
        const { consumer, credential, authenticatedGroups } = context;
        // Nobody has to know who the client is, when somebody knows its groups.
        const isByGroups = authenticatedGroups !== null && (consumer === null || credential === null || prefersAuthenticated);
        if (consumer === null && !isByGroups) throw credential === null ? UNAUTHORIZED : FORBIDDEN;
        const groups = isByGroups ? [...authenticatedGroups, ...(consumer ? consumerGroupsOf(consumer.id) : [])] : groupsOf(context);
        if (groups.length === 0 && allowed !== null && credential === null) throw UNAUTHORIZED;
        if (groups.some(group => denied.has(group))) throw FORBIDDEN;
        if (allowed !== null && !groups.some(group => allowed.has(group))) throw FORBIDDEN;
        tellGroups(context, isByGroups ? 'x-authenticated-groups' : 'x-consumer-groups', groups);
        return undefined;
      },
    };

    function groupsOf({ consumer }: Context): readonly string[] {
      if (consumer === null) return [];
      const groups = [...aclsOf(consumer.id)].map(({ group }) => group);
      return [...groups, ...consumerGroupsOf(consumer.id)];
    }

    function consumerGroupsOf(id: string): readonly string[] {
      if (!includesConsumerGroups) return [];
      return [...membershipsOf(id)].flatMap(({ consumer_group }) => groupById(consumer_group.id)?.name ?? []);
    }

    /** What clients say of their groups never passes. */
    function tellGroups({ upstream: { headers } }: Context, name: (typeof GROUP_HEADERS)[number], groups: readonly string[]): void {
      for (const own of GROUP_HEADERS) if (own in headers) delete headers[own];
      if (!config.hide_groups_header && groups.length > 0) headers[name] = groups.map(headerText).join(', ');
    }
  },
});
