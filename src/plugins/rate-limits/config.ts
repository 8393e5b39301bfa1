import { boolean, type Infer, integer, number, record, type Shorthand, string } from '../../schema/field.ts';
import { hostError, port, sni } from '../../schema/typedefs.ts';
import { PERIODS, type Period } from './periods.ts';

const limit = number({ gt: 0 });
/** A limit for each period, where there is one. */
export const limitFields = { second: limit, minute: limit, hour: limit, day: limit, month: limit, year: limit };
export type Limits = { readonly [P in Period]: number | null };

/** A longer period cannot have a lower limit: what is wrong, or undefined. */
export function limitsError(limits: Limits): string | undefined {
  const given = PERIODS.flatMap(period => (typeof limits[period] === 'number' ? [{ period, limit: limits[period] }] : []));
  for (const [index, shorter] of given.entries()) {
    const longer = given.slice(index + 1).find(({ limit }) => limit < shorter.limit);
    if (longer === undefined) continue;
    return `The limit for ${longer.period}(${longer.limit.toFixed(1)}) cannot be lower than the limit for ${shorter.period}(${shorter.limit.toFixed(1)})`;
  }
  return undefined;
}

const redisFields = {
  host: string({ custom_validator: hostError }),
  port: integer({ ...port.facts, default: 6379 }),
  timeout: integer({ default: 2000, between: [0, 2_147_483_646] }),
  username: string({ referenceable: true }),
  password: string({ referenceable: true, encrypted: true, len_min: 0 }),
  database: integer({ default: 0 }),
  ssl: boolean({ required: false, default: false }),
  ssl_verify: boolean({ required: false, default: false }),
  server_name: string({ ...sni.facts, required: false }),
};
export const redis = record(redisFields);
export type RedisConfig = NonNullable<Infer<typeof redis>>;

/** Where is counted. */
export const POLICY = { default: 'local', one_of: ['local', 'cluster', 'redis'] } as const;

const OLD_NAMES = ['host', 'port', 'password', 'username', 'ssl', 'ssl_verify', 'server_name', 'timeout', 'database'] as const;

/** `redis_host` for `redis.host`, and so on. */
export function oldRedisFields(plugin: string): Readonly<Record<string, Shorthand>> {
  return Object.fromEntries(
    OLD_NAMES.map(name => {
      const { type, facts } = redisFields[name];
      const deprecation = {
        message: `${plugin}: config.redis_${name} is deprecated, please use config.redis.${name} instead`,
        replaced_with: [{ path: ['redis', name] }],
        removal_in_version: '4.0',
      };
      const make = { string, integer, boolean }[type as 'string' | 'integer' | 'boolean'];
      const field = make({ deprecation, ...('len_min' in facts && { len_min: facts.len_min as number }) });
      return [`redis_${name}`, { field, func: (value: unknown) => ({ redis: { [name]: value } }) }];
    }),
  );
}

/** What a policy of `redis` needs. */
export const redisChecks = (['host', 'port', 'timeout'] as const).map(name => ({
  conditional: {
    if_field: 'config.policy',
    if_match: { eq: 'redis' },
    then_field: `config.redis.${name}`,
    then_match: { required: true },
  },
}));
