import { providers } from '../../providers/registry.ts';
import { boolean, type Infer, integer, number, record, string } from '../../schema/field.ts';
import { otherAuth, otherOptions } from './other-vendors.ts';

// The records that Kong's AI plugins share. Source: the plugins' schemas of Kong 3.9, costs per million tokens.

export const auth = record({
  header_name: string({ referenceable: true }),
  header_value: string({ referenceable: true, encrypted: true }),
  param_name: string({ referenceable: true }),
  param_value: string({ referenceable: true, encrypted: true }),
  param_location: string({ one_of: ['query', 'body'] }),
  allow_override: boolean({ default: false }),
  ...otherAuth,
});

const options = record({
  max_tokens: integer(),
  input_cost: number({ gt: 0 }),
  output_cost: number({ gt: 0 }),
  temperature: number({ between: [0, 5] }),
  top_p: number({ between: [0, 1] }),
  top_k: integer({ between: [0, 500] }),
  upstream_url: string({ custom_validator: urlError }),
  upstream_path: string({
    deprecation: {
      message: 'llm: config.model.options.upstream_path is deprecated, please use config.model.options.upstream_url instead',
      removal_in_version: '4.0',
    },
  }),
  ...otherOptions,
});

export const model = record(
  {
    provider: string({ required: true, one_of: providers.map(provider => provider.name) }),
    name: string(),
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

export const llmChecks = [
  { mutually_required: ['auth.header_name', 'auth.header_value'] },
  { mutually_required: ['auth.param_name', 'auth.param_value', 'auth.param_location'] },
] as const;

export type Auth = Infer<typeof auth>;
export type ModelConfig = Infer<typeof model>;
export type Logging = Infer<typeof logging>;

/** Whether answers are read here, even those that need no translation. */
export const isWatched = ({ log_statistics, log_payloads }: Logging): boolean => log_statistics || log_payloads;

function urlError(value: string): string | undefined {
  const url = URL.parse(value);
  if (!url?.host) return 'missing host in url';
  return url.protocol === 'http:' || url.protocol === 'https:' ? undefined : 'the url must start with http:// or https://';
}
