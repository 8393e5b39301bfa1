import { expect, setDefaultTimeout, test } from 'bun:test';
import { networkInterfaces } from 'node:os';
import { definePlugin } from '../../src/plugins/plugin.ts';
import { record } from '../../src/schema/field.ts';
import { startUpstream } from '../support/upstream.ts';
import { startBalanced } from './gateway.ts';
import { nameOf, oneAndTwo } from './targets.ts';

setDefaultTimeout(30_000);

const [one, two] = oneAndTwo();

/** Stands in for a plugin that knows where a model is. */
const elsewhere = definePlugin({
  name: 'elsewhere',
  priority: 770,
  config: record({}),
  configure: () => ({
    access(context) {
      context.upstream.url = context.request.headers.get('x-url');
      return undefined;
    },
  }),
});

test('what a plugin calls is balanced where its host is an upstream, and not where it is none', async () => {
  await using gateway = await startBalanced({
    targets: [nameOf(one)],
    service: { host: '127.0.0.1', port: two.port },
    plugins: [elsewhere],
  });
  const ask = async (url: string) => (await fetch(gateway.url, { headers: { 'x-url': url } })).text();
  expect(await (await fetch(gateway.url)).text()).toBe('two');
  await gateway.admin('POST', '/plugins', { name: 'elsewhere' });
  expect(await ask('http://backend/v1/chat?x=1')).toBe('one');
  expect(one.requests.at(-1)?.target).toBe('/v1/chat?x=1');
  expect(await ask('http://backend:8080')).toBe('one');
  expect(one.requests.at(-1)?.target).toBe('/');
  expect(await ask(`${two.url}/v1`)).toBe('two');
});

test('the path of the service comes before the path of the request', async () => {
  await using gateway = await startBalanced({ targets: [nameOf(one)], service: { path: '/base' }, route: { strip_path: false } });
  await fetch(`${gateway.url}/a%20b?c=d`);
  expect(one.requests.at(-1)?.target).toBe('/base/a%20b?c=d');
});

test('several services share the targets of one upstream', async () => {
  await using gateway = await startBalanced({ targets: [nameOf(one), nameOf(two)] });
  await gateway.admin('POST', '/services', { name: 'other', host: 'backend', port: 1234, retries: 0 });
  await gateway.admin('POST', '/services/other/routes', { paths: ['/other'] });
  const texts: string[] = [];
  for (const path of ['/', '/other', '/', '/other']) texts.push(await (await fetch(gateway.url + path)).text());
  expect(texts.toSorted()).toEqual(['one', 'one', 'two', 'two']);
});

const hasIpv6 = Object.values(networkInterfaces()).some(list => list?.some(({ address }) => address === '::1'));
if (!hasIpv6) console.log('skipped: needs IPv6 on loopback');

test.skipIf(!hasIpv6)('a target may be an IPv6 address', async () => {
  const six = startUpstream({ hostname: '::1' });
  six.answer({ body: 'six' });
  await using gateway = await startBalanced({ targets: [`[::1]:${six.port}`] });
  expect(await (await fetch(gateway.url)).text()).toBe('six');
  expect(await gateway.health()).toEqual({ [`[0000:0000:0000:0000:0000:0000:0000:0001]:${six.port}`]: 'HEALTHCHECKS_OFF' });
  six.stop();
});

test('a WebSocket goes to a target, and holds it until it ends', async () => {
  using server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch: (request, server) => (server.upgrade(request) ? undefined : new Response('no', { status: 400 })),
    websocket: { message: (socket, text) => void socket.send(`heard ${text}`) },
  });
  const { port } = server;
  await using gateway = await startBalanced({ targets: [{ target: `127.0.0.1:${port}` }], upstream: { algorithm: 'least-connections' } });
  const inFlight = () => gateway.gateway.balancers.find('backend', 80)?.peers[0]?.inFlight;
  const socket = new WebSocket(gateway.url.replace('http', 'ws'));
  const heard = new Promise(resolve => {
    socket.onmessage = ({ data }) => resolve(data);
    socket.onopen = () => socket.send('hello');
  });
  expect(await heard).toBe('heard hello');
  expect(inFlight()).toBe(1);
  socket.close();
  while (inFlight() !== 0) await Bun.sleep(2);
});
