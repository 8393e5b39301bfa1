import { afterAll, beforeEach, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DnsResolver } from '../../src/balancing/dns-resolver.ts';
import { handClock } from '../support/clock.ts';
import { type NameServer, startNameServer } from '../support/name-server.ts';
import { startUpstream } from '../support/upstream.ts';
import { startBalanced } from './gateway.ts';

setDefaultTimeout(30_000);

const server = await startNameServer();
const folder = mkdtempSync(join(tmpdir(), 'sluice-dns-'));
const hostsFile = join(folder, 'hosts');
// One port on several addresses of loopback: so many machines.
const machines = [startUpstream({ hostname: '127.0.0.2' })];
const port = machines[0]?.port as number;
machines.push(startUpstream({ hostname: '127.0.0.3', port }), startUpstream({ hostname: '127.0.0.4', port }));
const [two, three, four] = machines as [(typeof machines)[0], (typeof machines)[0], (typeof machines)[0]];
afterAll(() => {
  server.stop();
  for (const machine of machines) machine.stop();
  rmSync(folder, { recursive: true });
});
beforeEach(() => {
  server.mode = 'answer';
  server.records = {};
  writeFileSync(hostsFile, '# nothing\n');
  for (const [index, machine] of machines.entries()) machine.answer({ body: `127.0.0.${index + 2}` });
});

const resolverOf = (search = { domains: [] as string[], dots: 1 }) => new DnsResolver({ hostsFile, servers: [server.address], search });

describe('what a name stands for', () => {
  const address = (ip: string, more: object = {}) => ({ ip, port: 80, weight: null, srvName: null, ...more });
  test.each<[string, NameServer['records'], object]>([
    [
      'its A records, for the shortest time of them',
      {
        'api.test': [
          ['A', 30, '10.0.0.1'],
          ['A', 20, '10.0.0.2'],
        ],
      },
      { record: 'A', ttl: 20_000, addresses: [address('10.0.0.1'), address('10.0.0.2')] },
    ],
    [
      'its AAAA records, where there are no others',
      { 'api.test': [['AAAA', 5, 'fd00:0:0:0:0:0:0:1']] },
      { record: 'AAAA', ttl: 5000, addresses: [address('fd00::1')] },
    ],
    [
      'A records before AAAA records',
      {
        'api.test': [
          ['AAAA', 5, 'fd00:0:0:0:0:0:0:1'],
          ['A', 9, '10.0.0.1'],
        ],
      },
      { record: 'A', ttl: 9000, addresses: [address('10.0.0.1')] },
    ],
    [
      'what it is an alias of, for the shorter time',
      { 'api.test': [['CNAME', 7, 'real.test']], 'real.test': [['A', 70, '10.0.0.1']] },
      { record: 'A', ttl: 7000, addresses: [address('10.0.0.1')] },
    ],
    [
      'SRV records of the first priority, with their ports and weights',
      {
        'api.test': [
          ['SRV', 60, '1 5 8080 one.test'],
          ['SRV', 60, '1 0 0 two.test'],
          ['SRV', 60, '2 9 8080 last.test'],
        ],
        'one.test': [['A', 40, '10.0.0.1']],
        'two.test': [
          ['A', 30, '10.0.0.2'],
          ['A', 50, '10.0.0.3'],
        ],
        'last.test': [['A', 1, '10.0.0.9']],
      },
      {
        record: 'SRV',
        ttl: 30_000,
        addresses: [
          address('10.0.0.1', { port: 8080, weight: 5, srvName: 'one.test' }),
          address('10.0.0.2', { weight: 0.5, srvName: 'two.test' }),
          address('10.0.0.3', { weight: 0.5, srvName: 'two.test' }),
        ],
      },
    ],
  ])('%s', async (_, records, resolved) => {
    server.records = records;
    expect(await resolverOf().resolve('api.test', 80)).toEqual(resolved as never);
  });

  test('what the hosts file says, and nobody is asked', async () => {
    server.records = { 'api.test': [['A', 30, '10.0.0.1']] };
    writeFileSync(hostsFile, '10.1.1.1 other API.test # by hand\nfd00::1 api.test\n10.1.1.2 api.test\nnonsense api.test\n');
    const { length } = server.queries;
    expect((await resolverOf().resolve('api.test', 80)).addresses.map(({ ip }) => ip)).toEqual(['10.1.1.1', '10.1.1.2']);
    expect(server.queries).toHaveLength(length);
  });

  test('a hosts file that changes, or is not there', async () => {
    const resolver = new DnsResolver({ hostsFile: join(folder, 'later'), servers: [server.address], search: { domains: [], dots: 1 } });
    await expect(resolver.resolve('api.test', 80)).rejects.toThrow('dns server error: 3 name error');
    writeFileSync(join(folder, 'later'), '10.1.1.1 api.test\n');
    expect((await resolver.resolve('api.test', 80)).addresses.map(({ ip }) => ip)).toEqual(['10.1.1.1']);
  });

  test.each<[string, string, string[]]>([
    ['svc', 'one dot is enough to come first', ['svc.a.test', 'svc.b.test', 'svc']],
    ['svc.ns', 'it may be whole', ['svc.ns', 'svc.ns.a.test', 'svc.ns.b.test']],
    ['svc.', 'it is whole', ['svc']],
  ])('%s: %s', async (name, _, asked) => {
    const { length } = server.queries;
    await resolverOf({ domains: ['a.test', 'b.test.'], dots: 1 })
      .resolve(name, 80)
      .catch(() => undefined);
    const names = server.queries.slice(length).map(query => query.split(' ')[1]);
    expect([...new Set(names)]).toEqual(asked);
  });

  test.each<[NameServer['mode'], string]>([
    ['fail', 'dns server error: ESERVFAIL'],
    ['answer', 'dns server error: 3 name error'],
  ])('nothing, when name servers %s', async (mode, message) => {
    server.mode = mode;
    await expect(resolverOf().resolve('nobody.test', 80)).rejects.toThrow(message);
  });
});

test('its A records, where name servers know nothing of SRV records', async () => {
  server.mode = 'fail SRV';
  server.records = { 'api.test': [['A', 30, '10.0.0.1']] };
  expect((await resolverOf().resolve('api.test', 80)).addresses.map(({ ip }) => ip)).toEqual(['10.0.0.1']);
});

describe('targets that are names', () => {
  const start = async (name: string, more: object = {}) => {
    const { clock, pass } = handClock();
    const gateway = await startBalanced({ targets: [`${name}:${port}`], resolver: resolverOf(), clock, ...more });
    const ask = async (count: number) => {
      const texts: string[] = [];
      for (const response of await gateway.send(count)) texts.push(response.ok ? await response.text() : String(response.status));
      return texts.toSorted();
    };
    /** Lets time pass, and waits until who was asked then has answered. */
    const later = async (seconds: number, until: () => boolean | Promise<boolean>) => {
      await pass(seconds);
      while (!(await until())) await Bun.sleep(2);
    };
    return Object.assign(gateway, {
      ask,
      later,
      peers: () => gateway.gateway.balancers.find('backend', 80)?.peers.map(({ ip }) => ip) ?? [],
    });
  };

  test('all addresses serve in turn, and Host is the name', async () => {
    server.records = {
      'api.test': [
        ['A', 60, '127.0.0.2'],
        ['A', 60, '127.0.0.3'],
      ],
    };
    await using gateway = await start('api.test');
    expect(await gateway.ask(4)).toEqual(['127.0.0.2', '127.0.0.2', '127.0.0.3', '127.0.0.3']);
    expect(two.requests.at(-1)?.header('host')).toBe(`api.test:${port}`);
  });

  test('they are looked up again when their time is over, not before', async () => {
    server.records = { 'api.test': [['A', 60, '127.0.0.2']] };
    await using gateway = await start('api.test');
    expect(await gateway.ask(2)).toEqual(['127.0.0.2', '127.0.0.2']);
    server.records = { 'api.test': [['A', 60, '127.0.0.3']] };
    const { length } = server.queries;
    await gateway.later(59, () => true);
    expect(server.queries).toHaveLength(length);
    await gateway.later(1, () => gateway.peers().includes('127.0.0.3'));
    expect(await gateway.ask(2)).toEqual(['127.0.0.3', '127.0.0.3']);
  });

  test('an address that stays keeps its health and its turn', async () => {
    server.records = {
      'api.test': [
        ['A', 60, '127.0.0.2'],
        ['A', 60, '127.0.0.3'],
      ],
    };
    const upstream = { healthchecks: { passive: { unhealthy: { http_failures: 1 } } } };
    await using gateway = await start('api.test', { upstream });
    await gateway.ask(1);
    await gateway.admin('PUT', `/upstreams/backend/targets/api.test:${port}/127.0.0.2:${port}/unhealthy`);
    server.records = {
      'api.test': [
        ['A', 60, '127.0.0.4'],
        ['A', 60, '127.0.0.2'],
      ],
    };
    await gateway.later(60, () => gateway.peers().includes('127.0.0.4'));
    expect(await gateway.ask(3)).toEqual(['127.0.0.4', '127.0.0.4', '127.0.0.4']);
  });

  test('while name servers are gone, what was known serves; when they are back, what they say', async () => {
    server.records = { 'api.test': [['A', 60, '127.0.0.2']] };
    await using gateway = await start('api.test');
    expect(await gateway.ask(1)).toEqual(['127.0.0.2']);
    server.mode = 'fail';
    await gateway.later(60, () => gateway.said('warn').length > 0);
    expect(gateway.said('warn')).toEqual(['a target cannot be found']);
    expect(await gateway.ask(1)).toEqual(['127.0.0.2']);
    server.mode = 'answer';
    server.records = { 'api.test': [['A', 60, '127.0.0.3']] };
    await gateway.later(30, () => gateway.peers().includes('127.0.0.3'));
    expect(await gateway.ask(1)).toEqual(['127.0.0.3']);
  });

  test('a name that nobody knows yet is a DNS error, until it is known', async () => {
    await using gateway = await start('late.test');
    expect(await gateway.ask(1)).toEqual(['503']);
    expect(await gateway.health()).toEqual({ [`late.test:${port}`]: 'DNS_ERROR' });
    server.records = { 'late.test': [['A', 60, '127.0.0.2']] };
    await gateway.later(30, () => gateway.peers().length > 0);
    expect(await gateway.ask(1)).toEqual(['127.0.0.2']);
  });

  test('SRV records say ports and weights, and names where the upstream wants them', async () => {
    server.records = {
      'srv.test': [
        ['SRV', 60, `1 1 ${port} m2.test`],
        ['SRV', 60, `1 2 ${port} m3.test`],
      ],
      'm2.test': [['A', 60, '127.0.0.2']],
      'm3.test': [['A', 60, '127.0.0.3']],
    };
    await using gateway = await start('srv.test', { upstream: { use_srv_name: true } });
    expect(await gateway.ask(3)).toEqual(['127.0.0.2', '127.0.0.3', '127.0.0.3']);
    expect(three.requests.at(-1)?.header('host')).toBe(`m3.test:${port}`);
    await gateway.admin('PATCH', '/upstreams/backend', { use_srv_name: false });
    await gateway.ask(3);
    expect(three.requests.at(-1)?.header('host')).toBe(`srv.test:${port}`);
    const { data } = await gateway.admin('GET', '/upstreams/backend/health');
    expect(data[0].data).toMatchObject({ dns: 'SRV', host: 'srv.test', weight: { total: 3, available: 3, unavailable: 0 } });
  });

  test('an address that does not answer is passed over for the next', async () => {
    two.answer('close');
    server.records = {
      'api.test': [
        ['A', 60, '127.0.0.2'],
        ['A', 60, '127.0.0.4'],
      ],
    };
    await using gateway = await start('api.test');
    expect(await gateway.ask(2)).toEqual(['127.0.0.4', '127.0.0.4']);
    expect(four.requests.length).toBeGreaterThan(0);
  });
});

describe('hosts that are no upstreams, where they are looked up here', () => {
  const start = (host: string) => startBalanced({ targets: [], service: { host, port }, resolver: resolverOf(), lookUpHosts: true });

  test('all addresses serve in turn, and Host is as it always is', async () => {
    server.records = {
      'host.test': [
        ['A', 60, '127.0.0.2'],
        ['A', 60, '127.0.0.3'],
      ],
    };
    await using gateway = await start('host.test');
    const texts = await Promise.all((await gateway.send(4)).map(response => response.text()));
    expect(texts.toSorted()).toEqual(['127.0.0.2', '127.0.0.2', '127.0.0.3', '127.0.0.3']);
    expect(two.requests.at(-1)?.header('host')).toBe(`host.test:${port}`);
  });

  test('one that is not known', async () => {
    await using gateway = await start('nobody.test');
    const response = await fetch(gateway.url);
    expect([response.status, ((await response.json()) as { message: string }).message]).toEqual([503, 'name resolution failed']);
  });

  test('an address needs nobody to be asked', async () => {
    const { length } = server.queries;
    await using gateway = await start('127.0.0.2');
    expect(await (await fetch(gateway.url)).text()).toBe('127.0.0.2');
    expect(server.queries).toHaveLength(length);
  });
});
