import { expect, test } from 'bun:test';
import { type Configuring, PluginConfigurations } from '../../src/gateway/plugin-configurations.ts';
import { ConfigurationError } from '../../src/lib/configuration-error.ts';
import { Metrics } from '../../src/lib/metrics.ts';
import type { Context } from '../../src/plugins/context.ts';
import { definePlugin } from '../../src/plugins/plugin.ts';
import { record, string } from '../../src/schema/field.ts';
import { openStore } from '../../src/store/memory.ts';
import { recordingLog } from '../support/recording-log.ts';
import { pluginRow } from './rows.ts';

async function openConfigurations(configuring: Configuring) {
  const events: string[] = [];
  const teller = definePlugin({
    name: 'teller',
    priority: 10,
    config: record({ text: string({ required: true }) }, { required: true }),
    configure({ text }) {
      if (text === 'impossible') throw new ConfigurationError('cannot be told', 'text');
      events.push(`begin ${text}`);
      return {
        access: () => void events.push(text),
        answer: question => `${question}: ${text}`,
        close: () => void events.push(`end ${text}`),
      };
    },
  });
  const { log, lines } = recordingLog();
  const configurations = new PluginConfigurations({
    store: await openStore([]),
    plugins: [teller],
    secrets: { resolve: (_, value) => ({ value, secrets: [] }) },
    log,
    prefix: '.',
    metrics: new Metrics(),
    nodeId: '',
    configuring,
  });
  const tells = (text: string) => pluginRow({ id: 'p', name: 'teller', config: { text } });
  return { events, lines, configurations, tells };
}

const run = (access: unknown) => (access as (context: Context) => unknown)({} as Context);

test('at once, a plugin begins when its row comes, and ends when it is closed', async () => {
  const { events, configurations, tells } = await openConfigurations('at once');
  const { work } = configurations.configure(tells('a'));
  expect(events).toEqual(['begin a']);
  run(work.handlers.access);
  await work.close();
  expect(events).toEqual(['begin a', 'a', 'end a']);
});

test('on trial, it ends as soon as it has begun, and takes part in nothing', async () => {
  const { events, configurations, tells } = await openConfigurations('on trial');
  const { work, problem } = configurations.configure(tells('a'));
  expect([events, problem]).toEqual([['begin a', 'end a'], null]);
  expect(work.handlers).toEqual({ credentialPlaces: null, access: null, response: null, log: null });
  expect(() => configurations.configure(tells('impossible'))).toThrow('cannot be told');
});

test('when used, it begins with the first that asks for its handlers, once, whatever changes around it', async () => {
  const { events, configurations, tells } = await openConfigurations('when used');
  const configured = configurations.configure(tells('a'));
  expect(events).toEqual([]);
  const again = configurations.configure({ ...tells('a'), tags: ['changed'] }, configured);
  run(configured.work.handlers.access);
  run(again.work.handlers.access);
  expect(events).toEqual(['begin a', 'a', 'a']);
  await again.work.close();
  expect(events.at(-1)).toBe('end a');
});

test('when used, what nobody used has nothing to end', async () => {
  const { events, configurations, tells } = await openConfigurations('when used');
  await configurations.configure(tells('a')).work.close();
  expect(events).toEqual([]);
});

test('when used, one that does not work here lets no request pass, and says so once', async () => {
  const { lines, configurations, tells } = await openConfigurations('when used');
  const { work } = configurations.configure(tells('impossible'));
  for (const _ of [1, 2]) expect(() => run(work.handlers.access)).toThrow('An unexpected error occurred');
  expect(lines).toMatchObject([{ level: 'error', message: 'a plugin does not work here', facts: { error: 'cannot be told' } }]);
});

test('it answers questions while it is at work, and only then', async () => {
  const at = await openConfigurations('at once');
  expect(at.configurations.configure(at.tells('a')).work.answer('what')).toBe('what: a');
  const trial = await openConfigurations('on trial');
  expect(trial.configurations.configure(trial.tells('a')).work.answer('what')).toBeNull();
  const used = await openConfigurations('when used');
  const { work } = used.configurations.configure(used.tells('a'));
  expect([work.answer('what'), used.events]).toEqual([null, []]);
  run(work.handlers.access);
  expect(work.answer('what')).toBe('what: a');
});
