import { consumerGroup } from '../../entities/consumer-group.ts';
import { consumerGroupConsumer } from '../../entities/consumer-group-consumer.ts';
import { headerText } from '../../lib/header-syntax.ts';
import { RequestFailure } from '../../lib/request-failure.ts';
import { array, boolean, record, string } from '../../schema/field.ts';
import { noConsumer, noConsumerGroup, protocolsHttp } from '../../schema/typedefs.ts';
import { definePlugin } from '../plugin.ts';
import { aclEntity } from './acl-entity.ts';

const FORBIDDEN = new RequestFailure(403, 'You cannot consume this service');
const UNAUTHORIZED = new RequestFailure(401, 'Unauthorized');

/** What comes of being in groups. */
interface Standing {
  readonly passes: boolean;
  readonly isInNone: boolean;
  /** As the upstream is told of the groups; null: it is not. */
  readonly told: string | null;
}

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
    const standingOfConsumer = host.remembered(id => standingIn([...aclsOf(id)].map(({ group }) => group).concat(consumerGroupsOf(id))));

    return {
      access(context) {
        const { consumer, credential, authenticatedGroups } = context;
        const headers: GroupHeaders = context.upstream.headers;
        // What clients say of their groups never passes.
        delete headers['x-consumer-groups'];
        delete headers['x-authenticated-groups'];
        // Nobody has to know who the client is, when somebody knows its groups.
        if (authenticatedGroups !== null && (consumer === null || credential === null || prefersAuthenticated)) {
          const { passes, told } = standingIn([...authenticatedGroups, ...(consumer ? consumerGroupsOf(consumer.id) : [])]);
          if (!passes) throw FORBIDDEN;
          if (told !== null) headers['x-authenticated-groups'] = told;
          return undefined;
        }
        if (consumer === null) throw credential === null ? UNAUTHORIZED : FORBIDDEN;
        const { passes, isInNone, told } = standingOfConsumer(consumer.id);
        if (!passes) throw isInNone && credential === null ? UNAUTHORIZED : FORBIDDEN;
        if (told !== null) headers['x-consumer-groups'] = told;
        return undefined;
      },
    };

    function standingIn(groups: readonly string[]): Standing {
      return {
        passes: allowed === null ? !groups.some(group => denied.has(group)) : groups.some(group => allowed.has(group)),
        isInNone: groups.length === 0,
        told: config.hide_groups_header || groups.length === 0 ? null : groups.map(headerText).join(', '),
      };
    }

    function consumerGroupsOf(id: string): readonly string[] {
      if (!includesConsumerGroups) return [];
      return [...membershipsOf(id)].flatMap(({ consumer_group }) => groupById(consumer_group.id)?.name ?? []);
    }
  },
});

interface GroupHeaders {
  'x-consumer-groups'?: string;
  'x-authenticated-groups'?: string;
}
