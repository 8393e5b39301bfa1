import { describe, expect, test } from 'bun:test';
import type { PluginRow } from '../../src/entities/plugin-entity.ts';
import { compilePlan, type PlanScope } from '../../src/gateway/plan.ts';
import type { ConfiguredPlugin, Handlers } from '../../src/gateway/plugin-configurations.ts';
import { handlerFor, type Plan, type Slot } from '../../src/gateway/snapshot.ts';
import type { Context } from '../../src/plugins/context.ts';
import type { Phase } from '../../src/plugins/plugin.ts';
import { pluginRow } from './rows.ts';

/** What the handlers of these tests do: say whose they are. */
const handlerOf = (id: string) => (() => id) as unknown as NonNullable<Handlers['access']>;

function configured(row: PluginRow, priority = 1, phases: readonly Phase[] = ['access']): ConfiguredPlugin {
  const handlers = Object.fromEntries(
    (['access', 'response', 'log'] as const).map(phase => [phase, phases.includes(phase) ? handlerOf(row.id) : null]),
  );
  return {
    row,
    config: row.config,
    priority,
    work: { handlers: handlers as Handlers, answer: () => null, close: async () => {} },
    problem: null,
  };
}

const SCOPE: PlanScope = { route: 'r', service: 's' };
const context = {} as Context;

/** Which rows run for a consumer and its groups, as the proxy picks them. */
const runs = (plan: Plan, consumer: string | null, phase: Phase = 'access', groups: readonly string[] = []) =>
  plan[phase].map(slot => {
    const handler = consumer === null ? slot.anyone : handlerFor(slot as Slot<unknown>, consumer, groups);
    return (handler as ((context: Context) => unknown) | null)?.(context) ?? null;
  });

describe('of one plugin, the most specific configuration applies', () => {
  /** https://developer.konghq.com/gateway/entities/plugin/#plugin-precedence */
  const STEPS = [
    'consumer route service',
    'group route service',
    'consumer route',
    'consumer service',
    'group route',
    'group service',
    'route service',
    'consumer',
    'group',
    'route',
    'service',
    'everything',
  ];
  const owned = (step: string, scope: string, id: string) => (step.includes(scope) ? { id } : null);
  const rowOf = (step: string, owner = step.includes('group') ? 'g' : 'c') =>
    pluginRow({
      id: step,
      name: 'p',
      route: owned(step, 'route', 'r'),
      service: owned(step, 'service', 's'),
      consumer: owned(step, 'consumer', owner),
      consumer_group: owned(step, 'group', owner),
    });

  /** The first step, from the top, whose row is for the one who calls. */
  const chosen = (steps: readonly string[], consumer: string | null, groups: readonly string[]) =>
    STEPS.find(
      step => steps.includes(step) && (!step.includes('consumer') || consumer === 'c') && (!step.includes('group') || groups.includes('g')),
    ) ?? null;

  test('for every set of scopes, and whoever calls', () => {
    const callers = [
      ['c', ['g']],
      ['c', []],
      ['other', ['elsewhere', 'g']],
      ['other', ['elsewhere']],
      [null, []],
    ] as const;
    for (let set = 0; set < 2 ** STEPS.length; set++) {
      const steps = STEPS.filter((_, bit) => set & (1 << bit));
      const rows = steps.map(step => configured(rowOf(step)));
      const plan = compilePlan(set % 2 === 0 ? rows : rows.toReversed(), SCOPE);
      const ran = callers.map(([consumer, groups]) => runs(plan, consumer, 'access', groups)[0] ?? null);
      const wanted = callers.map(([consumer, groups]) => chosen(steps, consumer, groups));
      if (!Bun.deepEquals(ran, wanted)) expect([steps, ran]).toEqual([steps, wanted]);
    }
  });

  test('of several groups the first that has one decides', () => {
    const rows = ['silver', 'gold'].map(group => configured({ ...rowOf('group', group), id: group }));
    const plan = compilePlan(rows, SCOPE);
    expect([runs(plan, 'c', 'access', ['none', 'gold', 'silver']), runs(plan, 'c', 'access', ['silver', 'gold'])]).toEqual([
      ['gold'],
      ['silver'],
    ]);
  });

  test('those of a consumer or a group are for nobody else', () => {
    const plan = compilePlan([configured(rowOf('group')), configured(rowOf('consumer route'))], SCOPE);
    expect([runs(plan, null), runs(plan, 'other', 'access', ['elsewhere'])]).toEqual([[null], [null]]);
  });

  test('where nobody has one of their own, there is nothing to choose from', () => {
    const plan = compilePlan([configured(rowOf('route service')), configured(rowOf('group'))], SCOPE);
    expect(plan.access.map(({ byOwner }) => byOwner)).toEqual([null]);
  });

  test('configurations of other routes and services take no part', () => {
    const rows = [
      pluginRow({ id: '1', name: 'p', route: { id: 'other' } }),
      pluginRow({ id: '2', name: 'p', service: { id: 'other' } }),
      pluginRow({ id: '3', name: 'p', route: { id: 'r' }, service: { id: 'other' } }),
    ];
    expect(
      compilePlan(
        rows.map(row => configured(row)),
        SCOPE,
      ).access,
    ).toEqual([]);
  });

  test('a disabled configuration leaves its place to the next', () => {
    const rows = [pluginRow({ id: 'route', name: 'p', route: { id: 'r' }, enabled: false }), pluginRow({ id: 'global', name: 'p' })];
    expect(
      runs(
        compilePlan(
          rows.map(row => configured(row)),
          SCOPE,
        ),
        null,
      ),
    ).toEqual(['global']);
  });

  test('one that takes no part in a phase keeps the less specific away from it', () => {
    const plan = compilePlan(
      [
        configured(pluginRow({ id: 'global', name: 'p' }), 1, ['access', 'log']),
        configured(pluginRow({ id: 'own', name: 'p', consumer: { id: 'c' } }), 1, ['log']),
      ],
      SCOPE,
    );
    expect([runs(plan, 'c'), runs(plan, null), runs(plan, 'c', 'log')]).toEqual([[null], ['global'], ['own']]);
  });
});

test.each([
  [['https'], ['p']],
  [['grpc', 'tcp'], ['p']],
  [['tcp', 'tls'], []],
])('a plugin for the protocols %j runs as %j', (protocols, expected) => {
  const row = pluginRow({ id: 'p', name: 'p', protocols: protocols as PluginRow['protocols'] });
  expect(runs(compilePlan([configured(row)], SCOPE), null)).toEqual(expected);
});

test('plugins run by priority, higher first, and of equals by name', () => {
  const plugins = [
    ['b', 5],
    ['low', 1],
    ['a', 5],
    ['high', 9],
  ] as const;
  const plan = compilePlan(
    plugins.map(([name, priority]) => configured(pluginRow({ id: name, name }), priority)),
    SCOPE,
  );
  expect(runs(plan, null)).toEqual(['high', 'a', 'b', 'low']);
});

test('a phase has slots only for plugins that take part in it', () => {
  const plan = compilePlan([configured(pluginRow({ id: '1', name: 'p' }), 1, ['response'])], SCOPE);
  expect([plan.access.length, plan.response.length, plan.log.length]).toEqual([0, 1, 0]);
});
