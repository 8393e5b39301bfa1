import { expect, test } from 'bun:test';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Entity } from '../../src/entities/entity.ts';
import { pluginEntity } from '../../src/entities/plugin-entity.ts';
import { route } from '../../src/entities/route.ts';
import { service } from '../../src/entities/service.ts';
import { type GatewayOptions, openGateway } from '../../src/gateway/gateway.ts';
import { ConfigurationError } from '../../src/lib/configuration-error.ts';
import { sharedMemory } from '../../src/lib/counter-memory.ts';
import type { Context } from '../../src/plugins/context.ts';
import { definePlugin } from '../../src/plugins/plugin.ts';
import { record, string } from '../../src/schema/field.ts';
import { openStore } from '../../src/store/memory.ts';
import { newFolder } from '../support/executable.ts';
import { recordingLog } from '../support/recording-log.ts';
import { pluginRow } from './rows.ts';

const END = Date.now() + 3_600_000;

const counter = definePlugin({
  name: 'counter',
  priority: 1,
  config: record({ lifetime: string({ required: true, one_of: ['passing', 'kept'] }) }, { required: true }),
  configure({ lifetime }, host) {
    const counters = host.counters(lifetime);
    return {
      access(context) {
        context.log['count'] = counters.add('requests', END, 1);
        return undefined;
      },
    };
  },
});
const plugin = pluginEntity(name => (name === 'counter' ? counter : null));

/** A gateway that counts requests; what one of them makes the count. */
async function open(lifetime: string, prefix: string, options: Partial<GatewayOptions> = {}) {
  const store = await openStore([service, route, plugin] as readonly Entity[]);
  const { log } = recordingLog();
  const gateway = await openGateway({ store, plugins: [counter], log, prefix, ...options });
  const row = pluginRow({ id: 'p', name: 'counter', config: { lifetime } });
  await gateway.write([{ kind: 'insert', entity: plugin as Entity, row }]);
  return () => {
    const context = { log: {} } as Context;
    for (const slot of gateway.snapshot.unmatched.access) slot.anyone?.(context);
    return context.log['count'];
  };
}

test('a plugin counts for its gateway alone, unless that shares its memory', async () => {
  const prefix = newFolder();
  const [one, other] = [await open('passing', prefix), await open('passing', prefix)];
  expect([one(), one(), other()]).toEqual([1, 2, 1]);
  const { memory } = sharedMemory();
  const shared = await Promise.all([1, 2, 3].map(() => open('passing', prefix, { counterMemory: memory })));
  expect(shared.map(count => count())).toEqual([1, 2, 3]);
  expect(existsSync(join(prefix, 'sluice.counters'))).toBe(false);
});

test('what a plugin wants kept outlives its gateway', async () => {
  const prefix = newFolder();
  for (const expected of [1, 2, 3]) expect((await open('kept', prefix))()).toBe(expected);
});

test('a configuration whose counters cannot be kept is refused', async () => {
  const prefix = join(newFolder(), 'missing');
  await expect(open('kept', prefix)).rejects.toThrow(ConfigurationError);
});
