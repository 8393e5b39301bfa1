import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { consumer } from '../../src/entities/consumer.ts';
import type { Entity, Row } from '../../src/entities/entity.ts';
import { pluginEntity } from '../../src/entities/plugin-entity.ts';
import { route } from '../../src/entities/route.ts';
import { service } from '../../src/entities/service.ts';
import { vaultEntity } from '../../src/entities/vault.ts';
import { type Gateway, openGateway } from '../../src/gateway/gateway.ts';
import { ConfigurationError } from '../../src/lib/configuration-error.ts';
import type { Context } from '../../src/plugins/context.ts';
import { definePlugin } from '../../src/plugins/plugin.ts';
import { array, record, string } from '../../src/schema/field.ts';
import { openStore } from '../../src/store/memory.ts';
import type { Persistence, Write } from '../../src/store/store.ts';
import { env } from '../../src/vaults/env.ts';
import { defineVault, keeping } from '../../src/vaults/vault.ts';
import { handClock } from '../support/clock.ts';
import { recordingLog } from '../support/recording-log.ts';
import { pluginRow, routeRow } from './rows.ts';

/** A vault that keeps what a test puts into it, by room and name. */
const box = {
  secrets: new Map<string, string>(),
  pin: null as string | null,
  /** Why nothing can be read; `silence`: no answer comes. */
  trouble: null as string | null,
  reads: [] as string[],
  open: 0,
  mostAtOnce: 0,
};
const boxVault = defineVault({
  name: 'box',
  config: record(
    { room: string({ required: true, default: 'hall' }), pin: string({ referenceable: true }), ...keeping },
    { required: true },
  ),
  open: ({ room, pin }) => ({
    async read(name) {
      box.reads.push(`${room}/${name}`);
      box.mostAtOnce = Math.max(box.mostAtOnce, ++box.open);
      await null;
      box.open--;
      if (box.trouble === 'silence') await new Promise(() => {});
      if (box.trouble !== null) throw new Error(box.trouble);
      if (pin !== box.pin) throw new Error('wrong pin');
      const secret = box.secrets.get(`${room}/${name}`);
      if (secret === undefined) throw new Error('there is no such secret');
      return secret;
    },
  }),
});

/** What the plugin of a test did, in order. */
let events: string[] = [];
const teller = definePlugin({
  name: 'teller',
  priority: 10,
  config: record(
    { text: string({ required: true, referenceable: true }), more: array(string({ referenceable: true })) },
    { required: true },
  ),
  configure({ text, more }) {
    if (text.startsWith('impossible')) throw new ConfigurationError(`${text} cannot be told`, 'text');
    const all = [text, ...(more ?? [])].join(' ');
    events.push(`open ${all}`);
    return { access: () => void events.push(`tell ${all}`), close: () => void events.push(`close ${all}`) };
  },
});

const VAULTS = [env, boxVault];
const plugin = pluginEntity(name => (name === 'teller' ? teller : null));
const vault = vaultEntity(name => VAULTS.find(kind => kind.name === name)?.config ?? null);
const ENTITIES = [service, route, consumer, plugin, vault] as readonly unknown[] as readonly Entity[];

const insert = (entity: unknown, row: Row): Write => ({ kind: 'insert', entity: entity as Entity, row });
const replace = (entity: unknown, row: Row): Write => ({ kind: 'replace', entity: entity as Entity, row });
const remove = (entity: unknown, id: string): Write => ({ kind: 'remove', entity: entity as Entity, id });
const tells = (id: string, text: string, more: readonly string[] | null = null, enabled = true) =>
  pluginRow({ id, name: 'teller', config: { text, more }, enabled });
/** A second row, on a route of its own. */
const elsewhere = (text: string) => [
  insert(route, routeRow({ id: 'r', paths: ['/elsewhere'] })),
  insert(plugin, pluginRow({ ...tells('q', text), route: { id: 'r' } })),
];
const boxRow = (prefix: string, config: object = {}, id = prefix) => ({
  ...{ id, prefix, name: 'box', description: null, created_at: 1, updated_at: 1, tags: null },
  config: { room: 'hall', pin: null, base64_decode: false, ttl: null, neg_ttl: null, resurrect_ttl: null, ...config },
});

const environment = { GREETING: 'hello', PAIR: '{"user":"ann","password":"s3cret","number":5}', PIN: '1234' };
let { clock, pass } = handClock();
let { log, lines, said } = recordingLog();
let gateway: Gateway;

async function start(...writes: readonly Write[]) {
  const store = await openStore(ENTITIES);
  await store.commit(store.stage(writes));
  const opening = openGateway({ store, plugins: [teller], vaults: VAULTS, log, prefix: '/', environment, clock });
  await pass(0);
  return { store, opening };
}

beforeEach(async () => {
  ({ clock, pass } = handClock());
  ({ log, lines, said } = recordingLog());
  Object.assign(box, { secrets: new Map([['hall/key', 'one']]), pin: null, trouble: null, reads: [], open: 0, mostAtOnce: 0 });
  events = [];
  gateway = await (await start()).opening;
});
afterEach(() => gateway.close());

/** What a request comes to: what was told on its way, or that it did not pass. */
function request(): string {
  const before = events.length;
  try {
    for (const slot of gateway.snapshot.unmatched.access) void slot.anyone?.({} as Context);
  } catch (error) {
    return `refused: ${(error as Error).message}`;
  }
  return events.slice(before).join();
}
const REFUSED = 'refused: An unexpected error occurred';

describe('a reference', () => {
  test.each([
    ['of a kind', '{vault://env/greeting}', 'tell hello'],
    ['with a key', '{vault://env/pair/user}', 'tell ann'],
    ['with options', '{vault://env/ting?prefix=gree}', 'tell hello'],
    ['of a vault', '{vault://my-box/key}', 'tell one'],
    ['of a vault, with options', '{vault://my-box/key?room=cellar}', 'tell two'],
    ['that is one only in part', 'Bearer {vault://env/greeting}', 'tell Bearer {vault://env/greeting}'],
  ])('%s is what the vault says', async (_, text, told) => {
    box.secrets.set('cellar/key', 'two');
    await gateway.write([insert(vault, boxRow('my-box')), insert(plugin, tells('p', text))]);
    expect([request(), gateway.fault]).toEqual([told, null]);
  });

  test.each([
    ['{vault://env/none}', 'the environment variable NONE is not set'],
    ['{vault://env/pair/none}', "it holds no JSON object with a text 'none'"],
    ['{vault://env/pair/number}', "it holds no JSON object with a text 'number'"],
    ['{vault://env/pair/toString}', "it holds no JSON object with a text 'toString'"],
    ['{vault://env/greeting/user}', "it holds no JSON object with a text 'user'"],
    ['{vault://nowhere/key}', "there is no vault 'nowhere'"],
    ['{vault://box/empty}', 'it is empty'],
    ['{vault://box/key?wall=red}', "the vault 'box' is not configured: wall: unknown field"],
    ['{vault://box/key?ttl=soon}', "the vault 'box' is not configured: ttl: expected a number"],
    ['{vault://box/key?base64_decode=true}', 'it is no text in base64'],
  ])('%s that cannot be resolved is taken, and lets no request pass', async (text, reason) => {
    box.secrets.set('hall/empty', '');
    await gateway.write([insert(plugin, tells('p', 'x', ['y', text]))]);
    expect(request()).toBe(REFUSED);
    const fault = `plugin teller (p): config.more.2: the reference ${text.replace(/\?.*/, '}')} cannot be resolved: ${reason}`;
    expect(gateway.fault).toBe(fault);
    expect(lines).toEqual([{ level: 'error', message: 'configuration that does not work', facts: { problem: fault } }]);
  });

  test('in base64 is decoded', async () => {
    box.secrets.set('hall/coded', 'aGVsbG8=');
    await gateway.write([insert(plugin, tells('p', '{vault://box/coded?base64_decode=true}'))]);
    expect(request()).toBe('tell hello');
  });

  test('that is none is refused', async () => {
    const writing = gateway.write([insert(plugin, tells('p', '{vault://env?prefix=s3cret}'))]);
    await expect(writing).rejects.toMatchObject({
      message: 'the reference {vault://env} cannot be resolved: expected {vault://VAULT/NAME} or {vault://VAULT/NAME/KEY}',
      field: 'text',
    });
    expect(gateway.fault).toBeNull();
  });

  test('of a plugin that is switched off is not read', async () => {
    await gateway.write([insert(plugin, tells('p', '{vault://box/key}', null, false))]);
    expect([box.reads, gateway.fault]).toEqual([[], null]);
    await gateway.write([replace(plugin, tells('p', '{vault://box/key}'))]);
    expect(request()).toBe('tell one');
  });

  test('is one of many, which are not read all at once', async () => {
    const names = Array.from({ length: 100 }, (_, index) => `key-${index}`);
    for (const name of names) box.secrets.set(`hall/${name}`, name);
    await gateway.write([
      insert(
        plugin,
        tells(
          'p',
          'x',
          names.map(name => `{vault://box/${name}}`),
        ),
      ),
    ]);
    expect([request(), box.mostAtOnce]).toEqual([`tell x ${names.join(' ')}`, 32]);
  });

  test('is read once for all who have it, keys of it included', async () => {
    box.secrets.set('hall/pair', '{"user":"ann","password":"pw"}');
    await gateway.write([insert(plugin, tells('p', '{vault://box/pair/user}', ['{vault://box/pair/password}']))]);
    await gateway.write([...elsewhere('{vault://box/pair/user}')]);
    expect([request(), box.reads]).toEqual(['tell ann pw', ['hall/pair']]);
  });
});

describe('tells nobody what the secret is', () => {
  test('when its plugin cannot work with it', async () => {
    box.secrets.set('hall/key', 'impossible-s3cret');
    const writing = gateway.write([insert(plugin, tells('p', '{vault://box/key}'))]);
    await expect(writing).rejects.toMatchObject({ message: '[redacted] cannot be told', field: 'text' });
    expect(gateway.fault).toBeNull();
  });

  test('when it changes to what cannot work: what was there before serves', async () => {
    await gateway.write([insert(plugin, tells('p', '{vault://box/key?ttl=60}'))]);
    box.secrets.set('hall/key', 'impossible-s3cret');
    await pass(60);
    expect([request(), gateway.fault]).toEqual(['tell one', 'plugin teller (p): [redacted] cannot be told']);
    box.secrets.set('hall/key', 'two');
    await pass(60);
    expect([request(), gateway.fault]).toEqual(['tell two', null]);
    expect(JSON.stringify(lines)).not.toContain('s3cret');
    expect(events).toEqual(['open one', 'tell one', 'open two', 'close one', 'tell two']);
  });
});

describe('a secret whose time is over', () => {
  test('is read again, and swapped in under running requests', async () => {
    await gateway.write([insert(vault, boxRow('my-box', { ttl: 60 })), insert(plugin, tells('p', '{vault://my-box/key}'))]);
    await pass(120);
    expect(box.reads).toHaveLength(3);
    expect(events).toEqual(['open one']);

    box.secrets.set('hall/key', 'two');
    await pass(59);
    expect(request()).toBe('tell one');
    const passage = gateway.snapshot.enter();
    await pass(1);
    expect([request(), events.includes('close one')]).toEqual(['tell two', false]);
    passage.leave();
    await pass(0);
    expect(events.at(-1)).toBe('close one');
  });

  test('is read again with all its keys', async () => {
    box.secrets.set('hall/pair', '{"user":"ann","password":"pw"}');
    await gateway.write([insert(plugin, tells('p', '{vault://box/pair/user?ttl=60}'))]);
    await pass(30);
    await gateway.write([replace(plugin, tells('p', '{vault://box/pair/user?ttl=60}', ['{vault://box/pair/password?ttl=60}']))]);
    box.secrets.set('hall/pair', '{"user":"bob","password":"wp"}');
    await pass(30);
    expect(request()).toBe('tell bob wp');
  });

  test('that nobody refers to any more is forgotten', async () => {
    await gateway.write([insert(plugin, tells('p', '{vault://box/key?ttl=60}'))]);
    await gateway.write([remove(plugin, 'p')]);
    await pass(3600);
    expect(box.reads).toHaveLength(1);
    await gateway.write([insert(plugin, tells('p', '{vault://box/key?ttl=60}'))]);
    expect(box.reads).toHaveLength(2);
  });

  test('stays known when one row takes the place of another', async () => {
    await gateway.write([insert(plugin, tells('p', '{vault://box/key?ttl=60}'))]);
    await gateway.write([remove(plugin, 'p'), insert(plugin, tells('q', '{vault://box/key?ttl=60}'))]);
    box.secrets.set('hall/key', 'two');
    await pass(60);
    expect([request(), box.reads.length]).toEqual(['tell two', 2]);
  });

  test('without a time to live holds for ever', async () => {
    await gateway.write([insert(plugin, tells('p', '{vault://box/key}'))]);
    await pass(100_000);
    expect(box.reads).toHaveLength(1);
  });

  test('serves on while it cannot be read again, as long as resurrect_ttl says', async () => {
    await gateway.write([insert(plugin, tells('p', '{vault://box/key?ttl=60&neg_ttl=20&resurrect_ttl=50}'))]);
    box.trouble = 'the box is jammed';
    await pass(60);
    const outage = '{vault://box/key} cannot be read again, what it said before serves';
    expect([request(), gateway.fault, said('warn')]).toEqual(['tell one', `${outage}: the box is jammed`, [outage]]);
    await pass(49);
    expect([request(), said('warn')]).toEqual(['tell one', [outage]]);
    await pass(1);
    const fault = 'plugin teller (p): config.text: the reference {vault://box/key} cannot be resolved: the box is jammed';
    expect([request(), gateway.fault]).toEqual([REFUSED, fault]);

    box.trouble = null;
    await pass(20);
    expect([request(), gateway.fault, said('notice')]).toEqual(['tell one', null, ['{vault://box/key} can be read again']]);
  });
});

describe('a secret that cannot be read', () => {
  test.each([
    ['after neg_ttl', '?neg_ttl=3', 3],
    ['after ten seconds', '', 10],
    ['and a neg_ttl of 0 changes nothing about that', '?neg_ttl=0', 10],
  ])('is tried again %s', async (_, options, seconds) => {
    box.trouble = 'the box is jammed';
    await gateway.write([insert(plugin, tells('p', `{vault://box/key${options}}`))]);
    box.trouble = null;
    await pass(seconds - 1);
    expect(request()).toBe(REFUSED);
    await pass(1);
    expect([request(), gateway.fault]).toEqual(['tell one', null]);
  });

  test('is tried again when somebody else refers to it, for all', async () => {
    box.trouble = 'the box is jammed';
    await gateway.write([insert(plugin, tells('p', '{vault://box/key}'))]);
    box.trouble = null;
    await gateway.write([...elsewhere('{vault://box/key}')]);
    expect(request()).toBe('tell one');
  });

  test('for want of an answer holds a write up for five seconds', async () => {
    box.trouble = 'silence';
    const writing = gateway.write([insert(plugin, tells('p', '{vault://box/key}', ['{vault://env/greeting}']))]);
    await pass(5);
    await writing;
    expect(gateway.fault).toContain('the reference {vault://box/key} cannot be resolved: no answer within 5 s');
    box.trouble = null;
    await pass(10);
    expect(request()).toBe('tell one hello');
  });

  test('does not keep the gateway from its start', async () => {
    await gateway.close();
    box.trouble = 'silence';
    const { opening } = await start(insert(plugin, tells('p', '{vault://box/key}')), ...elsewhere('{vault://env/greeting}'));
    await pass(5);
    gateway = await opening;
    expect(request()).toBe(REFUSED);
    expect(events).toEqual(['open hello']);
    box.trouble = null;
    await pass(10);
    expect(request()).toBe('tell one');
  });
});

describe('a vault', () => {
  const reference = '{vault://my-box/key}';

  test('may come after what refers to it', async () => {
    await gateway.write([insert(plugin, tells('p', reference))]);
    expect(gateway.fault).toContain("there is no vault 'my-box'");
    await gateway.write([insert(vault, boxRow('my-box'))]);
    expect([request(), gateway.fault]).toEqual(['tell one', null]);
  });

  test('that changes is asked again', async () => {
    box.secrets.set('cellar/key', 'two');
    await gateway.write([insert(vault, boxRow('my-box')), insert(plugin, tells('p', reference))]);
    await gateway.write([replace(vault, boxRow('my-box', { room: 'cellar' }))]);
    expect(request()).toBe('tell two');
    await gateway.write([replace(vault, boxRow('other-box', { room: 'cellar' }, 'my-box'))]);
    expect(request()).toBe(REFUSED);
  });

  test('that changes to where there is nothing leaves what it said before, and says so', async () => {
    await gateway.write([insert(vault, boxRow('my-box')), insert(plugin, tells('p', reference))]);
    await gateway.write([replace(vault, boxRow('my-box', { room: 'attic' }))]);
    expect(request()).toBe('tell one');
    expect(gateway.fault).toBe(`${reference} cannot be read again, what it said before serves: there is no such secret`);
  });

  test('that goes takes its secrets along', async () => {
    await gateway.write([insert(vault, boxRow('my-box')), insert(plugin, tells('p', reference))]);
    await gateway.write([remove(vault, 'my-box')]);
    expect([request(), gateway.fault?.includes("there is no vault 'my-box'")]).toEqual([REFUSED, true]);
  });

  test('that cannot be written changes nothing', async () => {
    box.secrets.set('cellar/key', 'two');
    await gateway.write([insert(vault, boxRow('my-box')), insert(plugin, tells('p', reference))]);
    const writes = [replace(vault, boxRow('my-box', { room: 'cellar' })), ...elsewhere('impossible')];
    await expect(gateway.write(writes)).rejects.toThrow('impossible cannot be told');
    await gateway.write([replace(plugin, tells('p', reference, ['again']))]);
    expect(request()).toBe('tell one again');
  });

  test('may get its own secret from another', async () => {
    box.pin = environment.PIN;
    await gateway.write([insert(vault, boxRow('my-box', { pin: '{vault://env/pin}', ttl: 60 })), insert(plugin, tells('p', reference))]);
    expect(request()).toBe('tell one');
  });

  test('does not get it by more than one step', async () => {
    const first = boxRow('first-box', { pin: '{vault://second-box/pin}' });
    const second = boxRow('second-box', { pin: '{vault://first-box/pin}' });
    await gateway.write([insert(vault, first), insert(vault, second), insert(plugin, tells('p', '{vault://first-box/key}'))]);
    expect(gateway.fault).toContain("the vault 'second-box' refers to a vault itself");
  });
});

test('changes made elsewhere are served with their secrets', async () => {
  let rows = new Map<string, readonly Row[]>();
  let changed = () => {};
  const database: Persistence = {
    load: async () => rows,
    commit: async () => {},
    watch: callback => {
      changed = callback;
      return () => {};
    },
    reachable: () => true,
    close: async () => {},
  };
  const store = await openStore(ENTITIES, database);
  const other = await openGateway({ store, plugins: [teller], vaults: VAULTS, log, prefix: '/', environment, clock });
  rows = new Map<string, readonly Row[]>([
    ['vaults', [boxRow('my-box')]],
    ['plugins', [tells('p', '{vault://my-box/key}')]],
  ]);
  changed();
  await pass(0);
  expect([other.fault, events]).toEqual([null, ['open one']]);

  box.secrets.set('cellar/key', 'two');
  rows = new Map<string, readonly Row[]>([...rows, ['vaults', [boxRow('my-box', { room: 'cellar' })]]]);
  changed();
  await pass(0);
  expect([other.fault, events]).toEqual([null, ['open one', 'open two', 'close one']]);
  await other.close();
});
