import { afterAll, describe, expect, test } from 'bun:test';
import { correlationId } from '../../src/plugins/correlation-id.ts';
import { openRig } from '../support/behind.ts';
import { configured, openHost } from '../support/host.ts';

const rig = openRig();
afterAll(rig.close);

const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}';
const ECHO = { echo_downstream: true };
const brought = { headers: { 'Kong-Request-ID': 'mine' } };

describe('an id is made', () => {
  test.each([
    ['of the process and a counter, when nobody says otherwise', {}, `^${UUID}#\\d+$`],
    ['of the process and a counter', { generator: 'uuid#counter' }, `^${UUID}#\\d+$`],
    ['that is a UUID', { generator: 'uuid' }, `^${UUID}$`],
    ['that tells where and when', { generator: 'tracker' }, `^[\\d.]+-\\d+-${process.pid}-\\d+-1-\\d{10}\\.\\d{3}$`],
  ])('%s', async (_, config, pattern) => {
    const { sent, headers, logged } = await rig.ask(correlationId, config);
    const id = sent?.header('kong-request-id') ?? '';
    expect(id).toMatch(new RegExp(pattern));
    expect(logged).toEqual({ correlation_id: id });
    expect(headers.has('kong-request-id')).toBe(false);
  });
});

test.each(['uuid', 'uuid#counter', 'tracker'])('no two ids of %s are alike', async generator => {
  const first = await rig.ask(correlationId, { generator });
  const second = await rig.ask(correlationId, { generator });
  expect(first.sent?.header('kong-request-id')).not.toBe(second.sent?.header('kong-request-id'));
});

test('ids of several configurations are counted together', async () => {
  const numbers = [];
  for (const config of [{}, { header_name: 'X-Id' }, {}]) {
    const { logged } = await rig.ask(correlationId, config);
    numbers.push(Number((logged as { correlation_id: string }).correlation_id.split('#')[1]));
  }
  const [first = 0] = numbers;
  expect(numbers).toEqual([first, first + 1, first + 2]);
});

describe('the id', () => {
  test('that the client brought stays', async () => {
    const { sent, logged } = await rig.ask(correlationId, {}, brought);
    expect(sent?.header('kong-request-id')).toBe('mine');
    expect(logged).toEqual({ correlation_id: 'mine' });
  });

  test('is made when the client brought an empty one', async () => {
    const { sent } = await rig.ask(correlationId, {}, { headers: { 'Kong-Request-ID': '' } });
    expect(sent?.header('kong-request-id')).toMatch(/#\d+$/);
  });

  test('has the header that the configuration names', async () => {
    const { sent, headers } = await rig.ask(correlationId, { header_name: 'X-Trace', ...ECHO });
    expect(sent?.header('x-trace')).toBe(headers.get('x-trace') as string);
    expect(sent?.header('kong-request-id')).toBeUndefined();
  });

  test.each([
    ['that was made', {}],
    ['that was brought', brought],
  ])('%s goes back to the client on request', async (_, init) => {
    const { sent, headers } = await rig.ask(correlationId, ECHO, init);
    expect(headers.get('kong-request-id')).toBe(sent?.header('kong-request-id') as string);
  });

  test.each([
    ['is made', {}, /#\d+$/],
    ['is the one brought', brought, /^mine$/],
  ])('%s for a request that matches no route', async (_, init, id) => {
    const { headers, status } = await rig.ask(correlationId, ECHO, { ...init, setting: { matches: () => false } });
    expect(status).toBe(404);
    expect(headers.get('kong-request-id')).toMatch(id);
  });
});

test.each([
  ['a generator nobody knows', { generator: 'random' }, 'expected one of: uuid, uuid#counter, tracker'],
  ['an echo that is no boolean', { echo_downstream: 'yes' }, 'expected a boolean'],
  ['a header that is none', { header_name: 'a b' }, "'a b' is not a valid header"],
  ['an unknown field', { header: 'x' }, 'unknown field'],
])('refuses %s', (_, config, message) => {
  expect(() => configured(correlationId, config, openHost().host)).toThrow(message);
});
