import { ConfigurationError } from '../lib/configuration-error.ts';
import { isHeaderName } from '../lib/header-syntax.ts';
import { RequestFailure, unexpectedFailure } from '../lib/request-failure.ts';
import type { Window } from '../lib/window-counters.ts';
import { boolean, map, record, string } from '../schema/field.ts';
import { protocolsHttp } from '../schema/typedefs.ts';
import { noteKey } from './context.ts';
import { exit } from './exit.ts';
import { definePlugin } from './plugin.ts';
import { type Limits, limitFields, limitsError, oldRedisFields, POLICY, redis, redisChecks } from './rate-limits/config.ts';
import { CountingTrouble } from './rate-limits/counting-trouble.ts';
import { identifierBy, scopeOf } from './rate-limits/identifier.ts';
import { openCounters } from './rate-limits/open-counters.ts';
import { PERIODS, type Period, spanClock } from './rate-limits/periods.ts';

const HEADER = 'x-kong-limit';
const TOO_MANY = 429;

const config = record(
  {
    header_name: string({ default: HEADER }),
    limit_by: string({ default: 'consumer', one_of: ['consumer', 'credential', 'ip'] }),
    policy: string(POLICY),
    fault_tolerant: boolean({ required: true, default: true }),
    redis,
    block_on_first_violation: boolean({ required: true, default: false }),
    hide_client_headers: boolean({ required: true, default: false }),
    limits: map(
      string(),
      record(limitFields, { required: true, entity_checks: [{ at_least_one_of: PERIODS }], custom_validator: limitsError }),
      { required: true, len_min: 1 },
    ),
  },
  { required: true, shorthand_fields: oldRedisFields('response-ratelimiting') },
);

/** One period of one of the limits that a configuration names. */
interface Rule {
  readonly name: string;
  readonly period: Period;
  readonly limit: number;
  readonly spanAt: ReturnType<typeof spanClock>;
}

/** What was found out when a request came; without it nothing is counted. */
interface Found {
  readonly identifier: string;
  /** Of each rule. */
  readonly counts: readonly number[];
}
const foundKey = noteKey<Found>('response limits');

/** Lets upstreams say how much of each named limit an answer has used, and holds back answers once one is used up. */
export const responseRatelimiting = definePlugin({
  name: 'response-ratelimiting',
  priority: 900,
  fields: { protocols: protocolsHttp },
  config,
  entity_checks: redisChecks,

  configure(config, host, instance) {
    const { block_on_first_violation: blocks, fault_tolerant: isTolerant, hide_client_headers: isSilent } = config;
    const header = config.header_name ?? HEADER;
    const names = Object.keys(config.limits);
    for (const name of [header, ...names]) if (!isHeaderName(name)) throw unfit(name, name === header ? 'header_name' : 'limits');
    const rules = names.flatMap(name => rulesOf(name, config.limits[name] as Limits));
    const identify = identifierBy(config, host, instance);
    const prefix = `response-ratelimit:${scopeOf(instance)}`;
    const trouble = new CountingTrouble(`response-ratelimiting ${instance.id}`, host.log);
    const { counters, close } = openCounters(config, host, null, error => trouble.tell(error));

    return {
      async access(context) {
        const identifier = identify(context);
        let counts: readonly number[];
        try {
          counts = await counters.read(windowsOf(rules, identifier));
          trouble.over();
        } catch (error) {
          trouble.tell(error as Error);
          if (!isTolerant) throw unexpectedFailure();
          return undefined;
        }
        const left = rules.map(({ limit }, index) => limit - (counts[index] ?? 0));
        for (const name of names) {
          const least = Math.min(...left.filter((_, index) => rules[index]?.name === name));
          if (blocks && least <= 0) throw new RequestFailure(TOO_MANY, `API rate limit exceeded for '${name}'`);
          context.upstream.headers[`x-ratelimit-remaining-${name.toLowerCase()}`] = String(least);
        }
        context.notes.set(foundKey, { identifier, counts });
        return undefined;
      },

      async response({ notes }, response) {
        const found = notes.get(foundKey);
        if (found === undefined) return undefined;
        const { headers } = response;
        const used = amountsIn(headers.get(header), config.limits);
        headers.delete(header);
        if (Object.values(used).every(amount => amount === 0)) {
          if (!isSilent) tell(headers, found.counts, used);
          return undefined;
        }
        try {
          const { counts, full } = await counters.take(windowsOf(rules, found.identifier, used));
          if (!isSilent) tell(headers, counts, used);
          if (full === -1) return undefined;
        } catch (error) {
          // The answer is there; who asked cannot help that it is not counted.
          trouble.tell(error as Error);
          return undefined;
        }
        void response.body?.cancel();
        return withHeaders(exit(TOO_MANY, null), headers);
      },

      close,
    };

    function windowsOf(rules: readonly Rule[], identifier: string, used: Readonly<Record<string, number>> = {}): Window[] {
      const now = Date.now();
      return rules.map(({ name, period, limit, spanAt }) => {
        const { startsAt, endsAt } = spanAt(now);
        return { key: `${prefix}:${identifier}:${startsAt}:${name}:${period}`, endsAt, limit, amount: used[name] ?? 0 };
      });
    }

    function tell(headers: Headers, counts: readonly number[], used: Readonly<Record<string, number>>): void {
      for (const [index, { name, period, limit }] of rules.entries()) {
        const remaining = limit - (counts[index] ?? 0) - (used[name] ?? 0);
        headers.set(`X-RateLimit-Limit-${name}-${period}`, String(limit));
        headers.set(`X-RateLimit-Remaining-${name}-${period}`, String(Math.max(0, remaining)));
      }
    }
  },
});

const unfit = (name: string, field: string) => new ConfigurationError(`'${name}' cannot be in the name of a header`, field);

const rulesOf = (name: string, limits: Limits): Rule[] =>
  PERIODS.flatMap(period => {
    const limit = limits[period];
    return limit === null ? [] : [{ name, period, limit, spanAt: spanClock(period) }];
  });

/** `video=2, image=1`: what an answer has used of the limits that there are. */
function amountsIn(value: string | null, limits: Readonly<Record<string, unknown>>): Readonly<Record<string, number>> {
  const parts = (value ?? '').split(',').map(part => part.split('=').map(side => side.trim()));
  const amounts = parts.filter(
    ([name = '', amount = '', ...rest]) => Object.hasOwn(limits, name) && /^-?\d{1,14}$/.test(amount) && rest.length === 0,
  );
  return Object.fromEntries(amounts.map(([name, amount]) => [name, Number(amount)]));
}

/** The limits with what the upstream had to say beside its body. */
function withHeaders(answer: Response, headers: Headers): Response {
  for (const [name, value] of headers) if (/^x-ratelimit-/.test(name)) answer.headers.set(name, value);
  return answer;
}
