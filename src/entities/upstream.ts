import { parseHost } from '../lib/host.ts';
import type { EntityCheck } from '../schema/entity-check.ts';
import { array, boolean, foreign, integer, map, narrow, number, record, string } from '../schema/field.ts';
import { cookieName, headerName, hostWithPort, rootPath, sni, tags, timestamp, uuid } from '../schema/typedefs.ts';
import { defineEntity, type RowOf } from './entity.ts';

const HASH_INPUTS = ['none', 'consumer', 'ip', 'header', 'cookie', 'path', 'query_arg', 'uri_capture'] as const;
type HashInput = (typeof HASH_INPUTS)[number];
const hashInput = string({ default: 'none', one_of: HASH_INPUTS });

const count = integer({ default: 0, between: [0, 255] });
const seconds = number({ default: 0, between: [0, 65535] });
const probe = string({ default: 'http', one_of: ['tcp', 'http', 'https', 'grpc', 'grpcs'] });

const HEALTHY = [200, 302];
const UNHEALTHY = [429, 404, 500, 501, 502, 503, 504, 505];
const PASSIVE_HEALTHY = [200, 201, 202, 203, 204, 205, 206, 207, 208, 226, 300, 301, 302, 303, 304, 305, 306, 307, 308];
const PASSIVE_UNHEALTHY = [429, 500, 503];
const statuses = (initial: readonly number[]) => array(integer({ between: [100, 999] }), { default: initial });

// Kong prints a record's defaults a second time, as the default of the record.
const NO_FAILURES = { tcp_failures: 0, timeouts: 0, http_failures: 0 };
const ACTIVE = {
  type: 'http',
  timeout: 1,
  concurrency: 10,
  http_path: '/',
  https_verify_certificate: true,
  healthy: { interval: 0, http_statuses: HEALTHY, successes: 0 },
  unhealthy: { ...NO_FAILURES, interval: 0, http_statuses: UNHEALTHY },
};
const PASSIVE = {
  type: 'http',
  healthy: { http_statuses: PASSIVE_HEALTHY, successes: 0 },
  unhealthy: { ...NO_FAILURES, http_statuses: PASSIVE_UNHEALTHY },
};

const active = record(
  {
    headers: map(string(), array(string()), { required: false }),
    concurrency: integer({ default: 10, between: [1, 2 ** 31] }),
    http_path: rootPath,
    https_sni: narrow(sni, { required: false }),
    https_verify_certificate: boolean({ required: true, default: true }),
    healthy: record({ http_statuses: statuses(HEALTHY), successes: count, interval: seconds }, { default: ACTIVE.healthy }),
    timeout: number({ default: 1, between: [0, 65535] }),
    type: probe,
    unhealthy: record(
      { tcp_failures: count, timeouts: count, http_failures: count, http_statuses: statuses(UNHEALTHY), interval: seconds },
      { default: ACTIVE.unhealthy },
    ),
  },
  { default: ACTIVE, custom_validator: activeError },
);

const passive = record(
  {
    healthy: record({ successes: count, http_statuses: statuses(PASSIVE_HEALTHY) }, { default: PASSIVE.healthy }),
    type: probe,
    unhealthy: record(
      { tcp_failures: count, http_statuses: statuses(PASSIVE_UNHEALTHY), http_failures: count, timeouts: count },
      { default: PASSIVE.unhealthy },
    ),
  },
  { default: PASSIVE },
);

/** A virtual host name, and how its targets share what comes to it. */
export const upstream = defineEntity({
  name: 'upstreams',
  endpointKey: 'name',
  schema: record(
    {
      id: uuid,
      created_at: timestamp,
      updated_at: timestamp,
      name: string({ required: true, unique: true, custom_validator: nameError }),
      algorithm: string({ default: 'round-robin', one_of: ['consistent-hashing', 'least-connections', 'round-robin', 'latency'] }),
      hash_on: hashInput,
      hash_fallback: hashInput,
      hash_on_header: headerName,
      hash_fallback_header: headerName,
      hash_on_cookie: cookieName,
      hash_on_cookie_path: rootPath,
      hash_on_query_arg: string({ len_min: 1 }),
      hash_fallback_query_arg: string({ len_min: 1 }),
      hash_on_uri_capture: string({ len_min: 1 }),
      hash_fallback_uri_capture: string({ len_min: 1 }),
      slots: integer({ default: 10000, between: [10, 2 ** 16] }),
      healthchecks: record(
        { passive, active, threshold: number({ default: 0, between: [0, 100] }) },
        { default: { active: ACTIVE, passive: PASSIVE } },
      ),
      tags,
      host_header: hostWithPort,
      client_certificate: foreign('certificates'),
      use_srv_name: boolean({ default: false }),
    },
    {
      required: true,
      shorthand_fields: {
        algorithm: { field: string(), func: fromAlgorithm },
        hash_on: { field: string(), func: fromHashInput },
      },
      entity_checks: hashChecks(),
    },
  ),
});

export type Upstream = RowOf<typeof upstream>;

function nameError(name: string): string | undefined {
  const parsed = parseHost(name);
  if (typeof parsed === 'string') return 'Invalid name; must be a valid hostname';
  if (parsed.kind !== 'name') return 'Invalid name; no ip addresses allowed';
  return parsed.port === null ? undefined : 'Invalid name; no port allowed';
}

interface Probing {
  readonly type: string | null;
  readonly healthy: { readonly interval: number | null } | null;
  readonly unhealthy: { readonly interval: number | null } | null;
}

function activeError({ type, healthy, unhealthy }: Probing): string | undefined {
  if (!type?.startsWith('grpc') || (!healthy?.interval && !unhealthy?.interval)) return undefined;
  return `active checks of type '${type}' are not supported: expected http, https or tcp`;
}

/** Who balances by load hashes nothing. */
function fromAlgorithm(algorithm: string | null) {
  return algorithm === 'least-connections' || algorithm === 'latency' ? { algorithm, hash_on: null } : { algorithm };
}

/** What is hashed decides about the algorithm, as it did before there was a field for that. */
function fromHashInput(hash_on: string | null) {
  if (hash_on === null) return { hash_on: 'none' };
  return { hash_on, algorithm: hash_on === 'none' ? 'round-robin' : 'consistent-hashing' };
}

/** What each input needs to be named, and which may stand in for which. */
function hashChecks(): readonly EntityCheck[] {
  const named = (input: HashInput, field: string, name: string): EntityCheck => ({
    conditional: { if_field: field, if_match: { match: `^${input}$` }, then_field: name, then_match: { required: true } },
  });
  const fallbacks = (input: HashInput, allowed: readonly HashInput[]): EntityCheck => ({
    conditional: { if_field: 'hash_on', if_match: { match: `^${input}$` }, then_field: 'hash_fallback', then_match: { one_of: allowed } },
  });
  const pair = (input: HashInput): readonly EntityCheck[] => [
    named(input, 'hash_on', `hash_on_${input}`),
    named(input, 'hash_fallback', `hash_fallback_${input}`),
  ];
  const different = (input: HashInput): EntityCheck => ({ distinct: [`hash_on_${input}`, `hash_fallback_${input}`] });
  return [
    ...pair('header'),
    named('cookie', 'hash_on', 'hash_on_cookie'),
    named('cookie', 'hash_fallback', 'hash_on_cookie'),
    fallbacks('none', ['none']),
    fallbacks('cookie', ['none']),
    fallbacks('consumer', ['none', 'ip', 'header', 'cookie', 'path', 'query_arg', 'uri_capture']),
    fallbacks('ip', ['none', 'consumer', 'header', 'cookie', 'path', 'query_arg', 'uri_capture']),
    fallbacks('path', ['none', 'consumer', 'header', 'cookie', 'query_arg', 'ip', 'uri_capture']),
    different('header'),
    ...pair('query_arg'),
    different('query_arg'),
    ...pair('uri_capture'),
    different('uri_capture'),
  ];
}
