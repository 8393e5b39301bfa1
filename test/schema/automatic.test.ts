import { expect, test } from 'bun:test';
import { isUuid } from '../../src/lib/uuid.ts';
import { automaticValue } from '../../src/schema/automatic.ts';
import { integer, number, string } from '../../src/schema/field.ts';

test('an id is a UUID, any other text 32 letters and digits, each time others', () => {
  const id = string({ uuid: true, auto: true });
  const key = string({ auto: true });
  expect(isUuid(String(automaticValue(id)))).toBe(true);
  expect(automaticValue(key)).toMatch(/^[A-Za-z0-9]{32}$/);
  expect(automaticValue(id)).not.toBe(automaticValue(id));
  expect(automaticValue(key)).not.toBe(automaticValue(key));
});

test('a time is in seconds, whole ones where the field takes no others', () => {
  const before = Date.now() / 1000;
  const exact = Number(automaticValue(number({ auto: true, timestamp: true })));
  const whole = Number(automaticValue(integer({ auto: true, timestamp: true })));
  const after = Date.now() / 1000;
  expect(exact).toBeGreaterThanOrEqual(before);
  expect(exact).toBeLessThanOrEqual(after);
  expect(whole).toBeInteger();
  expect(whole).toBeGreaterThanOrEqual(Math.floor(before));
  expect(whole).toBeLessThanOrEqual(after);
});
