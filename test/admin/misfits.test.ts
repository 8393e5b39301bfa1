import { test } from 'bun:test';
import { play, type Step } from './harness.ts';

const plugin = (rest: object) => ({ name: 'sample', config: { route_type: 'llm/v1/chat', model: { provider: 'x' } }, ...rest });
const refused = (message: string) => ({
  message: `schema violation (protocols: ${message})`,
  name: 'schema violation',
  code: 2,
  fields: { protocols: message },
});
const OF_ROUTE = refused("must match the associated route's protocols");
const OF_SERVICE = refused("must match the protocols of at least one route pointing to this Plugin's service");

const http = plugin({ protocols: ['http'] });
const steps: readonly Step[] = [
  ['POST', '/services', { name: 's', host: 'h' }, 201],
  ['POST', '/services/s/plugins', { ...http, instance_name: 'early' }, 201],
  ['DELETE', '/plugins/early', undefined, 204],
  ['POST', '/services/s/routes', { name: 'r', protocols: ['https'], paths: ['/'] }, 201],
  ['POST', '/routes/r/plugins', http, 400, OF_ROUTE],
  ['POST', '/services/s/plugins', http, 400, OF_SERVICE],
  ['POST', '/routes/r/plugins', plugin({ instance_name: 'i' }), 201],
  ['PATCH', '/plugins/i', { protocols: ['http', 'grpc'] }, 400, OF_ROUTE],
  ['PUT', '/plugins/i', { ...http, route: { name: 'r' } }, 400, OF_ROUTE],
  ['PATCH', '/plugins/i', { protocols: ['http', 'https'] }, 200],
  ['POST', '/services/s/routes', { name: 'both', paths: ['/'] }, 201],
  ['POST', '/services/s/plugins', http, 201],
];

test('a plugin that no request of its route or service could meet is refused', async () => {
  await play(steps);
});
