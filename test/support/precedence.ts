import type { Answered } from './served.ts';

/** Kong's steps, most specific first. https://developer.konghq.com/gateway/entities/plugin/#plugin-precedence */
export const STEPS = [
  ['consumer', 'route', 'service'],
  ['consumer_group', 'route', 'service'],
  ['consumer', 'route'],
  ['consumer', 'service'],
  ['consumer_group', 'route'],
  ['consumer_group', 'service'],
  ['route', 'service'],
  ['consumer'],
  ['consumer_group'],
  ['route'],
  ['service'],
  [],
];
const OWNERS: Readonly<Record<string, string>> = { consumer: 'ann', consumer_group: 'gold', route: 'mine', service: 'api' };
export const nameOf = (step: readonly string[]) => step.join(' ') || 'everything';

export interface Shown {
  readonly plugin: string;
  /** A configuration that shows which step it is of. */
  config(step: string): object;
  /** The step whose configuration applied; undefined: none. */
  stepIn(answered: Answered): string | undefined;
}

export const PLUGINS: readonly Shown[] = [
  {
    plugin: 'request-termination',
    config: message => ({ status_code: 418, message }),
    stepIn: ({ json }) => (json as { message?: string } | undefined)?.message,
  },
  {
    plugin: 'request-transformer',
    config: step => ({ add: { headers: [`x-step:${step}`] } }),
    stepIn: ({ sent }) => sent?.header('x-step'),
  },
  {
    plugin: 'response-transformer',
    config: step => ({ add: { headers: [`x-step:${step}`] } }),
    stepIn: ({ headers }) => headers.get('x-step') ?? undefined,
  },
];

/** A configuration with the plugin for each of these steps. `upstream` stands for a URL. */
export const configurationOf = ({ plugin, config }: Shown, steps: readonly (readonly string[])[]) => ({
  consumer_groups: [{ name: 'gold' }],
  consumers: [
    { username: 'ann', keyauth_credentials: [{ key: 'ann' }], groups: [{ name: 'gold' }] },
    { username: 'bob', keyauth_credentials: [{ key: 'bob' }], groups: [{ name: 'gold' }] },
    { username: 'eve', keyauth_credentials: [{ key: 'eve' }] },
    { username: 'nobody' },
  ],
  services: [
    {
      name: 'api',
      url: 'upstream',
      routes: [
        { name: 'mine', paths: ['/mine'] },
        { name: 'other', paths: ['/other'] },
      ],
    },
    { name: 'elsewhere', url: 'upstream', routes: [{ name: 'third', paths: ['/third'] }] },
  ],
  plugins: [
    { name: 'key-auth', config: { anonymous: 'nobody' } },
    ...steps.map(step => ({
      name: plugin,
      config: config(nameOf(step)),
      ...Object.fromEntries(step.map(owner => [owner, OWNERS[owner]])),
    })),
  ],
});

/** Which owners of a configuration a request is for. */
export const REQUESTS: readonly (readonly [path: string, key: string, owners: readonly string[]])[] = [
  ['/mine', 'ann', ['consumer', 'consumer_group', 'route', 'service']],
  ['/mine', 'bob', ['consumer_group', 'route', 'service']],
  ['/mine', 'eve', ['route', 'service']],
  ['/mine', 'unknown', ['route', 'service']],
  ['/other', 'ann', ['consumer', 'consumer_group', 'service']],
  ['/other', 'bob', ['consumer_group', 'service']],
  ['/other', 'eve', ['service']],
  ['/third', 'ann', ['consumer', 'consumer_group']],
  ['/third', 'eve', []],
];
