import { afterAll, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { PeerHealth } from '../../src/balancing/health.ts';
import { Latency } from '../../src/balancing/latency.ts';
import { Peer } from '../../src/balancing/peer.ts';
import { rawClient } from '../proxy/gateway.ts';
import { startUpstream } from '../support/upstream.ts';
import { startBalanced } from './gateway.ts';

setDefaultTimeout(30_000);

const [one, two] = [startUpstream(), startUpstream()];
afterAll(() => {
  one.stop();
  two.stop();
});
const at = ({ port }: { readonly port: number }, weight = 100) => ({ target: `127.0.0.1:${port}`, weight });

describe('least-connections', () => {
  const upstream = { algorithm: 'least-connections' };

  test('shares what is in flight by weight, streams to their last byte included', async () => {
    for (const server of [one, two]) server.answer({ chunks: ['begun', 'ended'], gated: true });
    await using gateway = await startBalanced({ targets: [at(one, 100), at(two, 200)], upstream });
    const before = [one.requests.length, two.requests.length] as const;
    const open: Promise<Response>[] = [];
    for (let sent = 1; sent <= 9; sent++) {
      open.push(fetch(gateway.url));
      const total = () => one.requests.length + two.requests.length - before[0] - before[1];
      while (total() < sent) await Bun.sleep(1);
    }
    expect([one.requests.length - before[0], two.requests.length - before[1]]).toEqual([3, 6]);
    const peers = () => gateway.gateway.snapshot.balancers.find('backend', 80)?.peers.map(({ inFlight }) => inFlight) ?? [];
    expect(peers().toSorted()).toEqual([3, 6]);
    await Promise.all([one.release(6), two.release(12)]);
    for (const response of await Promise.all(open)) await response.text();
    while (peers().some(count => count > 0)) await Bun.sleep(1);
  });

  test('who waits for nobody is taken in turn', async () => {
    for (const server of [one, two]) server.answer({ body: String(server.port) });
    await using gateway = await startBalanced({ targets: [at(one), at(two)], upstream });
    const ports = await Promise.all((await gateway.send(6)).map(response => response.text()));
    expect(ports.filter(port => port === String(one.port))).toHaveLength(3);
  });

  test.each(['a client that leaves', 'a failure'])('%s holds nothing', async what => {
    for (const server of [one, two]) server.answer(what === 'a failure' ? { chunks: ['x'], ending: 'reset' } : 'silence');
    await using gateway = await startBalanced({ targets: [at(one), at(two)], upstream });
    const inFlight = () =>
      gateway.gateway.snapshot.balancers.find('backend', 80)?.peers.reduce((sum, peer) => sum + peer.inFlight, 0) ?? -1;
    const before = one.requests.length + two.requests.length;
    const client = await rawClient(gateway.port);
    client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    while (one.requests.length + two.requests.length === before) await Bun.sleep(1);
    if (what === 'a client that leaves') expect(inFlight()).toBe(1);
    client.leave();
    while (inFlight() !== 0) await Bun.sleep(1);
  });
});

describe('latency', () => {
  const peersOf = (weights: readonly number[]) =>
    weights.map((weight, index) => {
      const presentation = { hostHeader: null, useSrvName: false, clientCertificate: null };
      const ip = `10.0.0.${index + 1}`;
      return Object.assign(new Peer(ip, { ip, port: 80, weight: null, srvName: null }, new PeerHealth(), presentation), { weight });
    });
  const counts = (latency: Latency, peers: readonly Peer[], draws = 1000) => {
    const picked = Array.from({ length: draws }, () => latency.pick([]));
    return peers.map(peer => picked.filter(one => one === peer).length);
  };
  const setting = (weights: readonly number[]) => {
    const time = { now: 1 };
    const latency = new Latency(() => time.now);
    const peers = peersOf(weights);
    latency.arrange(peers);
    return { time, latency, peers };
  };

  test('goes to the quicker of two', () => {
    const { latency, peers } = setting([100, 100]);
    latency.ended(peers[0] as Peer, 500);
    latency.ended(peers[1] as Peer, 20);
    expect(counts(latency, peers)).toEqual([0, 1000]);
  });

  test('one that is twice as slow, for four times the weight, is quicker', () => {
    const { latency, peers } = setting([400, 100]);
    latency.ended(peers[0] as Peer, 200);
    latency.ended(peers[1] as Peer, 100);
    expect(counts(latency, peers)).toEqual([1000, 0]);
  });

  test('of three, the slowest gets nothing and the quickest most', () => {
    const { latency, peers } = setting([100, 100, 100]);
    for (const [index, milliseconds] of [300, 200, 100].entries()) latency.ended(peers[index] as Peer, milliseconds);
    const [slow, middle, quick] = counts(latency, peers, 6000) as [number, number, number];
    expect(slow).toBe(0);
    expect(quick / middle).toBeGreaterThan(1.6);
    expect(quick / middle).toBeLessThan(2.5);
  });

  test('forgets what was long ago', () => {
    const { time, latency, peers } = setting([100, 100]);
    latency.ended(peers[0] as Peer, 1000);
    time.now += 60_000;
    latency.ended(peers[1] as Peer, 50);
    expect(counts(latency, peers)).toEqual([1000, 0]);
  });

  test('takes who is new for as quick as the others', () => {
    const { latency, peers } = setting([100, 100]);
    latency.ended(peers[0] as Peer, 100);
    latency.ended(peers[1] as Peer, 300);
    const [stranger] = peersOf([100]) as [Peer];
    latency.arrange([...peers, stranger]);
    expect(stranger.latency).toBe(200);
  });

  test('leaves out who is not well or was tried, to the last', () => {
    const { latency, peers } = setting([100, 100, 100]);
    peers[0]?.health.set('unhealthy');
    expect(latency.pick([peers[1] as Peer])).toBe(peers[2] as Peer);
    expect(latency.pick(peers)).toBeNull();
  });

  test('measures what the proxy sends', async () => {
    one.answer({ body: 'one' });
    two.answer({ body: 'two' });
    await using gateway = await startBalanced({ targets: [at(one), at(two)], upstream: { algorithm: 'latency' } });
    await gateway.send(10);
    const peers = gateway.gateway.snapshot.balancers.find('backend', 80)?.peers ?? [];
    expect(peers.some(({ latencyAt }) => latencyAt > 0)).toBe(true);
  });
});
