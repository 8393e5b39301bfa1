import { expect } from 'bun:test';
import { type RunningGateway, startGateway } from '../../support/executable.ts';
import { ENCODINGS, type Encoding } from './encoding.ts';
import type { List, Scenario, Step } from './scenario.ts';

/** What may not go before what points at it. */
const COLLECTIONS = [
  'plugins',
  'routes',
  'services',
  'consumers',
  'consumer_groups',
  'upstreams',
  'snis',
  'certificates',
  'ca_certificates',
  'keys',
  'key-sets',
  'vaults',
];

export interface Player extends AsyncDisposable {
  /** Plays the scenario on an Admin API without a row. */
  play(scenario: Scenario, encoding: Encoding): Promise<void>;
}

/** Starts the compiled gateway for the scenarios of one table. */
export async function startPlayer(): Promise<Player> {
  const gateway = await startGateway();
  let used = false;
  return {
    async play({ steps }, encoding) {
      if (used) await empty(gateway);
      used = true;
      let last: List = { next: '' };
      for (const step of steps) last = await playStep(gateway, step, encoding, last);
    },
    [Symbol.asyncDispose]: () => gateway[Symbol.asyncDispose](),
  };
}

async function playStep(gateway: RunningGateway, step: Step, encoding: Encoding, last: List): Promise<List> {
  const { method, body, status } = step;
  const path = typeof step.path === 'function' ? step.path(last) : step.path;
  const encoded = typeof body === 'string' ? { body, type: step.type ?? '' } : body && ENCODINGS[encoding](body);
  const response = await fetch(gateway.admin + path, {
    method,
    ...(encoded && { body: encoded.body, headers: encoded.type === '' ? {} : { 'content-type': encoded.type } }),
  });
  const text = await response.text();
  const answer = text === '' ? null : JSON.parse(text);
  // The request stands in what is compared, so that a failure says which one it was.
  const request = `${method} ${path} ${JSON.stringify(body)}`;
  expect({ request, status: response.status, ...(response.status !== status && { text }) }).toEqual({ request, status });
  if (typeof step.answer === 'function') step.answer(answer);
  else if (step.answer !== undefined) expect({ request, answer }).toEqual({ request, answer: step.answer });
  for (const [name, value] of Object.entries(step.headers ?? {}))
    expect([request, name, response.headers.get(name)]).toEqual([request, name, value]);
  return answer?.next === undefined ? last : answer;
}

async function empty(gateway: RunningGateway): Promise<void> {
  for (const collection of COLLECTIONS) {
    const { body } = await gateway.request('GET', `/${collection}?size=1000`);
    const { data = [] } = body as { readonly data?: readonly { readonly id: string }[] };
    for (const { id } of data) await gateway.request('DELETE', `/${collection}/${id}`);
  }
}
