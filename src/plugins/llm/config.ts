import { isObject } from '../../lib/json.ts';
import { providers } from '../../providers/registry.ts';
import type { EntityCheck } from '../../schema/entity-check.ts';
import { array, boolean, type Field, type Infer, integer, number, record, string } from '../../schema/field.ts';
import { aboveError, ttlError } from './price-units.ts';

// The records that Kong's AI plugins share. Source: the plugins' schemas of Kong 3.9 and 3.15; costs per million tokens.

type Fields = Readonly<Record<string, Field>>;
const vendors: readonly {
  readonly name: string;
  readonly options?: Fields;
  readonly auth?: Fields;
  readonly checks?: readonly EntityCheck[];
}[] = providers;
const vendorFields = (part: 'options' | 'auth'): Fields => Object.assign({}, ...vendors.map(vendor => vendor[part] ?? {}));

export const auth = record({
  header_name: string({ referenceable: true }),
  header_value: string({ referenceable: true, encrypted: true }),
  param_name: string({ referenceable: true }),
  param_value: string({ referenceable: true, encrypted: true }),
  param_location: string({ one_of: ['query', 'body'] }),
  allow_override: boolean({ default: false }),
  ...vendorFields('auth'),
});

const cost = number({ gt: 0 });

const options = record({
  max_tokens: integer(),
  input_cost: cost,
  output_cost: cost,
  cache_read_cost: cost,
  cache_write_cost: cost,
  cache_write_cost_list: array(
    record({ ttl: string({ required: true, custom_validator: ttlError }), cost: number({ required: true, gt: 0 }) }),
  ),
  context_window_factor: array(
    record({
      above: string({ required: true, custom_validator: aboveError }),
      input_factor: number({ required: true }),
      output_factor: number({ required: true }),
    }),
  ),
  service_tier_factor: array(record({ tier: string({ required: true, len_min: 1 }), factor: number({ required: true }) })),
  temperature: number({ between: [0, 5] }),
  top_p: number({ between: [0, 1] }),
  top_k: integer({ between: [0, 500] }),
  embeddings_dimensions: integer({ gt: 0 }),
  upstream_url: string({ custom_validator: urlError }),
  upstream_path: string({
    deprecation: {
      message: 'llm: config.model.options.upstream_path is deprecated, please use config.model.options.upstream_url instead',
      removal_in_version: '4.0',
    },
  }),
  ...vendorFields('options'),
});

export const model = record(
  {
    provider: string({ required: true, one_of: providers.map(provider => provider.name) }),
    name: string(),
    model_alias: string(),
    options,
  },
  { required: true },
);

export const logging = record(
  {
    log_statistics: boolean({ required: true, default: false }),
    log_payloads: boolean({ required: true, default: false }),
  },
  { required: true },
);

export type Auth = Infer<typeof auth>;
export type ModelConfig = Infer<typeof model>;
export type Logging = Infer<typeof logging>;

export const llmChecks: readonly EntityCheck[] = [
  { mutually_required: ['auth.header_name', 'auth.header_value'] },
  { mutually_required: ['auth.param_name', 'auth.param_value', 'auth.param_location'] },
  ...vendors.flatMap(vendor => vendor.checks ?? []),
  { custom_entity_check: { field_sources: ['model'], fn: strangerError } },
];

/** Whether answers are read here, even those that need no translation. */
export const isWatched = ({ log_statistics, log_payloads }: Logging): boolean => log_statistics || log_payloads;

/** A field of another vendor would have no effect. decK writes all fields out: as they are by default they are taken. */
function strangerError({ auth, model }: { readonly auth: Auth; readonly model: ModelConfig }): string | undefined {
  for (const { name, ...parts } of vendors) {
    if (name === model.provider) continue;
    for (const [path, fields, values] of [
      ['auth', parts.auth, auth],
      ['model.options', parts.options, model.options],
    ] as const) {
      const given = values as Readonly<Record<string, unknown>> | null;
      const found = Object.entries(fields ?? {}).find(([name, field]) => !saysNothing(given?.[name], field));
      if (found) return `${path}.${found[0]} is for the ${name} provider only`;
    }
  }
  return undefined;
}

const saysNothing = (value: unknown, { facts, fields = {} }: Field): boolean =>
  value === null ||
  value === undefined ||
  value === facts.default ||
  (isObject(value) && Object.entries(fields).every(([name, field]) => saysNothing(value[name], field)));

function urlError(value: string): string | undefined {
  const url = URL.parse(value);
  if (!url?.host) return 'missing host in url';
  return url.protocol === 'http:' || url.protocol === 'https:' ? undefined : 'the url must start with http:// or https://';
}
