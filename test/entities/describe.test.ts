import { expect, test } from 'bun:test';
import { consumer } from '../../src/entities/consumer.ts';
import { pluginEntity } from '../../src/entities/plugin-entity.ts';
import { route } from '../../src/entities/route.ts';
import { service } from '../../src/entities/service.ts';
import { describe } from '../../src/schema/describe.ts';
import consumers from '../fixtures/kong/consumers.json';
import plugins from '../fixtures/kong/plugins.json';
import routes from '../fixtures/kong/routes.json';
import services from '../fixtures/kong/services.json';

const plugin = pluginEntity(() => null);

const byName = (fields: readonly Record<string, unknown>[]) => Object.assign({}, ...fields) as Record<string, unknown>;

test.each([
  ['services', service, services],
  ['routes', route, routes],
  ['consumers', consumer, consumers],
  ['plugins', plugin, plugins],
] as const)('the schema of %s is printed as Kong prints it', (_name, entity, golden) => {
  const { type, required, fields, ...rest } = describe(entity.schema);
  const { fields: wanted, ...others } = golden as { fields: Record<string, unknown>[] };
  expect(byName(fields as Record<string, unknown>[])).toEqual(byName(wanted));
  expect(rest).toEqual(others);
});
