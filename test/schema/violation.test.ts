import { expect, test } from 'bun:test';
import type { FieldErrors } from '../../src/schema/validate.ts';
import { violation } from '../../src/schema/violation.ts';

test.each<[FieldErrors, string]>([
  [{ name: 'required field missing' }, 'schema violation (name: required field missing)'],
  [{ b: 'x', a: 'y' }, '2 schema violations (a: y; b: x)'],
  [{ config: { path: 'x' } }, 'schema violation (config.path: x)'],
  [{ config: { model: { name: 'x' } } }, 'schema violation (config.model: {\n  name = "x"\n})'],
  [
    { config: { model: { options: { 'a-b': 'say "x"', c: 'y' } } } },
    'schema violation (config.model: {\n  options = {\n    ["a-b"] = "say \\"x\\"",\n    c = "y"\n  }\n})',
  ],
  [{ a: 'y', '@entity': ['first', 'second'] }, '3 schema violations (first; second; a: y)'],
  [{ config: { b: 'x', '@entity': ['whole'] } }, '2 schema violations (config.@entity: {\n  "whole"\n}; config.b: x)'],
  [{ paths: [null, 'x'] }, 'schema violation (paths.2: x)'],
  [{ config: { list: [null, 'x'] } }, 'schema violation (config.list: {\n  [2] = "x"\n})'],
  [{ sources: [{ ip: 'x' }] }, 'schema violation (sources.1: {\n  ip = "x"\n})'],
])('%j is said in one message', (errors, line) => {
  expect(violation(errors)).toBe(line);
});
