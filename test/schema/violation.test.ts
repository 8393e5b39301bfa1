import { expect, test } from 'bun:test';
import type { FieldErrors } from '../../src/schema/validate.ts';
import { violation } from '../../src/schema/violation.ts';

test.each<[FieldErrors, string]>([
  [{ name: 'required field missing' }, 'schema violation (name: required field missing)'],
  [{ b: 'x', a: 'y' }, '2 schema violations (a: y; b: x)'],
  [{ config: { model: { name: 'x' } } }, 'schema violation (config.model.name: x)'],
  [{ a: 'y', '@entity': ['first', 'second'] }, '3 schema violations (first; second; a: y)'],
  [{ config: { b: 'x', '@entity': ['whole'] } }, '2 schema violations (config.@entity: whole; config.b: x)'],
  [{ paths: [null, 'x'] }, 'schema violation (paths.2: x)'],
  [{ sources: [{ ip: 'x' }] }, 'schema violation (sources.1.ip: x)'],
])('%j is said in one line', (errors, line) => {
  expect(violation(errors)).toBe(line);
});
