import { beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { join } from 'node:path';
import '../support/executable.ts';
import { ANSWER, type Report } from './walk-through.ts';

setDefaultTimeout(60_000);

const missing = ['bash', 'curl'].find(name => !Bun.which(name));
if (missing) console.log(`skipped: needs ${missing}`);

// The document's ports 8000 and 8001 are only free for certain in a network of our own, which not every machine lets us make.
const ownNetwork = ['unshare', '--map-root-user', '--net', 'bash', '-c', 'ip link set lo up && exec "$@"', '-'];
const permitted = !missing && Bun.which('ip') !== null && Bun.spawnSync([...ownNetwork, 'true']).exitCode === 0;
if (!missing && !permitted) console.log('the walk-through runs on other ports: needs unshare and ip for 8000 and 8001');

const question = { role: 'user', content: 'What is 1+1?' };

describe.skipIf(Boolean(missing))('the document that sluice was ordered from, pasted line by line', () => {
  let report: Report;

  beforeAll(async () => {
    const script = [process.execPath, join(import.meta.dir, 'walk-through.ts')];
    const command = permitted ? [...ownNetwork, ...script] : [...script, 'free-ports'];
    report = JSON.parse(await Bun.spawn(command, { stdout: 'pipe', stderr: 'inherit' }).stdout.text()) as Report;
  });

  test('makes a service, a route and a plugin, and chats', () => {
    expect(report.answers.map(({ status }) => status)).toEqual([201, 201, 201, 200]);
  });

  test('shows the answer of the provider', () => {
    expect(JSON.parse(report.answers[3]?.body ?? '')).toEqual(ANSWER);
  });

  test('calls api.openai.com as OpenAI wants it', () => {
    expect(report.asked[0]).toBe('api.openai.com:443');
    expect(report.requests[0]).toEqual({
      line: 'POST /v1/chat/completions',
      authorization: 'Bearer <openai_key>',
      body: {
        messages: [{ role: 'system', content: 'You are a mathematician' }, question],
        model: 'gpt-4',
        max_tokens: 512,
        temperature: 1,
      },
    });
  });

  test('still chats after kill -9 and a new start', () => {
    expect(report.afterKill.map(({ status }) => status)).toEqual([200]);
    expect(report.requests[1]?.authorization).toBe('Bearer <openai_key>');
  });
});
