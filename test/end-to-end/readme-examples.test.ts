import { expect, setDefaultTimeout, test } from 'bun:test';
import { join } from 'node:path';
import { startGateway } from '../support/executable.ts';

setDefaultTimeout(20_000);

// The walk-through has a test of its own: here are the examples of the chapters after it.
const readme = await Bun.file(join(import.meta.dir, '..', '..', 'README.md')).text();
const examples = readme.slice(readme.indexOf('## What is in it')).matchAll(/^curl [\s\S]*?[^\\]$/gm);

test.each([...examples].map(([command]) => command))('the gateway takes\n%s', async command => {
  await using gateway = await startGateway();
  const told = command.replaceAll('http://localhost:8001', gateway.admin).replace(/^curl/, "curl --silent --write-out '%{http_code}'");
  const answer = Bun.spawnSync(['sh', '-c', told]).stdout.toString();
  expect([answer, answer.slice(-3)]).toEqual([answer, '201']);
});
