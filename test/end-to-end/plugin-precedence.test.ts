import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import { type RunningGateway, startGateway } from '../support/executable.ts';
import { configurationOf, nameOf, PLUGINS, REQUESTS, STEPS } from '../support/precedence.ts';
import { startUpstream } from '../support/upstream.ts';

setDefaultTimeout(60_000);

const upstream = startUpstream();
let gateway: RunningGateway;
beforeAll(async () => {
  gateway = await startGateway({ environment: { SLUICE_DATABASE: 'off', SLUICE_WORKERS: '2' } });
});
afterAll(async () => {
  await gateway.stop();
  upstream.stop();
});

/** On a connection of its own, so that any worker may get it. */
async function ask(path: string, apikey: string) {
  const before = upstream.requests.length;
  const response = await fetch(gateway.proxy + path, { keepalive: false, headers: { apikey, connection: 'close' } });
  const text = await response.text();
  const json = text.startsWith('{') ? JSON.parse(text) : undefined;
  return { status: response.status, headers: response.headers, text, json, sent: upstream.requests[before] };
}

test.each(PLUGINS)('in every worker the most specific configuration of $plugin applies, and the next one once it is gone', async shown => {
  for (const index of STEPS.keys()) {
    const steps = STEPS.slice(index);
    const configuration = { _format_version: '3.0', ...configurationOf(shown, steps) };
    const text = JSON.stringify(configuration).replaceAll('"upstream"', JSON.stringify(upstream.url));
    expect(await gateway.request('POST', '/config', { config: text })).toMatchObject({ status: 201 });
    for (const [path, apikey, owners] of REQUESTS) {
      const wanted = steps.find(step => step.every(owner => owners.includes(owner)));
      const applied = shown.stepIn(await ask(path, apikey));
      expect([path, apikey, applied]).toEqual([path, apikey, wanted && nameOf(wanted)]);
    }
  }
});
