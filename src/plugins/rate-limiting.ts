import { ConfigurationError } from '../lib/configuration-error.ts';
import { RequestFailure, unexpectedFailure } from '../lib/request-failure.ts';
import type { Taken, Window } from '../lib/window-counters.ts';
import { boolean, number, record, string } from '../schema/field.ts';
import { headerName, pathError, protocolsHttp } from '../schema/typedefs.ts';
import { type Context, noteKey } from './context.ts';
import { definePlugin } from './plugin.ts';
import { type Limits, limitFields, limitsError, oldRedisFields, POLICY, redis, redisChecks } from './rate-limits/config.ts';
import { CountingTrouble } from './rate-limits/counting-trouble.ts';
import { CurrentWindows } from './rate-limits/current-windows.ts';
import { identifierBy, scopeOf } from './rate-limits/identifier.ts';
import { openCounters } from './rate-limits/open-counters.ts';
import { PERIODS, type Period } from './rate-limits/periods.ts';
import { isBodyless } from './response-body.ts';

/** Of `sync_rate`: every request asks the server. */
const AT_EACH_REQUEST = -1;

const config = record(
  {
    ...limitFields,
    limit_by: string({
      default: 'consumer',
      one_of: ['consumer', 'credential', 'ip', 'service', 'header', 'path', 'consumer-group'],
    }),
    header_name: headerName,
    path: string({
      starts_with: '/',
      match_none: [{ pattern: '//', err: 'must not have empty segments' }],
      custom_validator: pathError,
    }),
    policy: string({ ...POLICY, len_min: 0 }),
    fault_tolerant: boolean({ required: true, default: true }),
    redis,
    hide_client_headers: boolean({ required: true, default: false }),
    error_code: number({ default: 429, gt: 0 }),
    error_message: string({ default: 'API rate limit exceeded' }),
    sync_rate: number({ required: true, default: AT_EACH_REQUEST }),
  },
  {
    required: true,
    shorthand_fields: oldRedisFields('rate-limiting'),
    custom_validator: (given: Limits & { readonly policy: string | null; readonly sync_rate: number }) =>
      limitsError(given) ??
      (given.policy !== 'redis' && given.sync_rate !== AT_EACH_REQUEST ? 'sync_rate can only be used with a redis policy' : undefined),
  },
);

/** What a client is told of its limits: names of headers, and their values. */
interface Told {
  readonly names: readonly string[];
  readonly values: readonly string[];
}
const toldKey = noteKey<Told>('rate limits');
const NOTHING: Told = { names: [], values: [] };

/** Lets so many requests of each client pass in a second, a minute, … of the calendar. */
export const rateLimiting = definePlugin({
  name: 'rate-limiting',
  priority: 910,
  fields: { protocols: protocolsHttp },
  config,
  entity_checks: [
    { at_least_one_of: PERIODS.map(period => `config.${period}`) },
    ...redisChecks,
    needs('header', 'header_name'),
    needs('path', 'path'),
  ],

  configure(config, host, instance) {
    const { hide_client_headers: isSilent, fault_tolerant: isTolerant } = config;
    const refusal = refusalOf(config.error_code ?? 429, config.error_message ?? 'API rate limit exceeded');
    const identify = identifierBy(config, host, instance);
    const rules = PERIODS.flatMap(period => {
      const limit = config[period];
      return limit === null ? [] : [{ period, limit, shown: String(limit) }];
    });
    const windows = new CurrentWindows(`ratelimit:${scopeOf(instance)}`, rules);
    const names = [...rules.flatMap(({ period }) => headersOf(period)), 'RateLimit-Limit', 'RateLimit-Remaining', 'RateLimit-Reset'];
    const trouble = new CountingTrouble(`rate-limiting ${instance.id}`, host.log);
    const syncSeconds = syncSecondsOf(config.sync_rate);
    const { counters, close } = openCounters(config, host, syncSeconds, error => trouble.tell(error));

    return {
      access(context) {
        const now = Date.now();
        const current = windows.at(now, identify(context));
        let result: Taken | Promise<Taken>;
        try {
          result = counters.take(current);
        } catch (error) {
          return tolerate(error as Error);
        }
        if (result instanceof Promise) return result.then(taken => judge(context, taken, current, now), tolerate);
        return judge(context, result, current, now);
      },

      ...(!isSilent && {
        response({ notes }: Context, { headers }: Response) {
          const { names, values } = notes.get(toldKey) ?? NOTHING;
          for (let index = 0; index < names.length; index++) headers.set(names[index] as string, values[index] as string);
          return undefined;
        },
      }),

      close,
    };

    function judge(context: Context, { counts, full }: Taken, current: readonly Window[], now: number): undefined {
      trouble.over();
      if (isSilent) {
        if (full >= 0) throw refusal({});
        return;
      }
      const values: string[] = [];
      let nearest = 0;
      let least = Number.POSITIVE_INFINITY;
      for (const [index, { limit, shown }] of rules.entries()) {
        const left = limit - (counts[index] ?? 0) - (full === -1 || full === index ? 1 : 0);
        const remaining = Math.max(0, left);
        values.push(shown, String(remaining));
        // Of those with as little left, the longest counts.
        if (remaining > least) continue;
        nearest = index;
        least = remaining;
      }
      const { shown = '' } = rules[nearest] ?? {};
      const { endsAt = now } = current[nearest] ?? {};
      const reset = String(Math.max(1, Math.ceil((endsAt - now) / 1000)));
      values.push(shown, String(least), reset);
      context.notes.set(toldKey, { names, values });
      if (full >= 0) throw refusal({ 'Retry-After': reset });
    }

    function tolerate(error: Error): undefined {
      trouble.tell(error);
      if (!isTolerant) throw unexpectedFailure();
    }
  },
});

function headersOf(period: Period): readonly [limit: string, remaining: string] {
  const name = period[0]?.toUpperCase() + period.slice(1);
  return [`X-RateLimit-Limit-${name}`, `X-RateLimit-Remaining-${name}`];
}

function needs(limitBy: string, field: string) {
  return {
    conditional: {
      if_field: 'config.limit_by',
      if_match: { eq: limitBy },
      then_field: `config.${field}`,
      then_match: { required: true },
    },
  };
}

function refusalOf(status: number, message: string): (headers: Readonly<Record<string, string>>) => RequestFailure {
  if (!Number.isInteger(status) || status < 200 || status > 599 || isBodyless(status))
    throw new ConfigurationError('expected a status between 200 and 599 of an answer that has a body', 'error_code');
  return headers => new RequestFailure(status, message, headers);
}

/** Null: at each request. */
function syncSecondsOf(rate: number): number | null {
  if (rate === AT_EACH_REQUEST) return null;
  if (rate < 0) throw new ConfigurationError('expected -1, or a number of seconds', 'sync_rate');
  return rate;
}
