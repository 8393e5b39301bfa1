import { expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { currentReadme, README } from '../support/field-table.ts';

test('the tables of src/providers/README.md are what the providers do; `bun test/support/field-table.ts` writes them anew', () => {
  expect(readFileSync(README, 'utf8')).toBe(currentReadme());
});
