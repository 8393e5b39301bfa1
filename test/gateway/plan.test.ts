import { describe, expect, test } from 'bun:test';
import type { PluginRow } from '../../src/entities/plugin-entity.ts';
import { compilePlan, type PlanScope } from '../../src/gateway/plan.ts';
import type { ConfiguredPlugin, Handlers } from '../../src/gateway/plugin-configurations.ts';
import type { Plan } from '../../src/gateway/snapshot.ts';
import type { Context } from '../../src/plugins/context.ts';
import type { Phase } from '../../src/plugins/plugin.ts';
import { pluginRow } from './rows.ts';

/** What the handlers of these tests do: say whose they are. */
const handlerOf = (id: string) => (() => id) as unknown as NonNullable<Handlers['access']>;

function configured(row: PluginRow, priority = 1, phases: readonly Phase[] = ['access']): ConfiguredPlugin {
  const handlers = Object.fromEntries(
    (['access', 'response', 'log'] as const).map(phase => [phase, phases.includes(phase) ? handlerOf(row.id) : null]),
  );
  return { row, priority, handlers: handlers as Handlers, problem: null, close: async () => {} };
}

const SCOPE: PlanScope = { route: 'r', service: 's' };
const context = {} as Context;

/** Which rows run for a consumer, as the proxy picks them. */
const runs = (plan: Plan, consumer: string | null, phase: Phase = 'access') =>
  plan[phase].map(slot => {
    const handler = (consumer !== null && slot.byConsumer?.get(consumer)) || slot.anyone;
    return (handler as ((context: Context) => unknown) | null)?.(context) ?? null;
  });

describe('of one plugin, the most specific configuration applies', () => {
  const scopes = [0, 1].flatMap(route => [0, 1].flatMap(service => [0, 1].map(consumer => ({ route, service, consumer }))));
  const rowOf = ({ route, service, consumer }: (typeof scopes)[number]) =>
    pluginRow({
      id: `${route}${service}${consumer}`,
      name: 'p',
      route: route ? { id: 'r' } : null,
      service: service ? { id: 's' } : null,
      consumer: consumer ? { id: 'c' } : null,
    });

  /** https://developer.konghq.com/gateway/entities/plugin/#plugin-precedence: ids are the bits route, service, consumer. */
  const STEPS = ['111', '101', '011', '110', '001', '100', '010', '000'];
  const oracle = (rows: readonly PluginRow[], consumer: string | null) =>
    STEPS.find(step => rows.some(({ id }) => id === step) && (step[2] === '0' || consumer === 'c')) ?? null;

  test('for every set of scopes, and whoever calls', () => {
    for (let set = 0; set < 256; set++) {
      const rows = scopes.filter((_, bit) => set & (1 << bit)).map(rowOf);
      for (const order of [rows, rows.toReversed()]) {
        const plan = compilePlan(
          order.map(row => configured(row)),
          SCOPE,
        );
        for (const consumer of ['c', 'other', null]) {
          expect([set, consumer, runs(plan, consumer)[0] ?? null]).toEqual([set, consumer, oracle(rows, consumer)]);
        }
      }
    }
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
