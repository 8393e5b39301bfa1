import { expect, test } from 'bun:test';
import { createLog, type LogFormat, type LogLevel } from '../../src/lib/log.ts';

function capture(level: LogLevel, format: LogFormat) {
  const lines: string[] = [];
  return { lines, log: createLog({ level, format, write: line => lines.push(line) }) };
}

test('json: one object a line, with time, level, message and facts', () => {
  const { lines, log } = capture('notice', 'json');
  log.warn('two\nlines', { port: 8000 });
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0] ?? '')).toEqual({ time: expect.any(String), level: 'warn', message: 'two\nlines', port: 8000 });
  expect(lines[0]?.trimEnd()).not.toContain('\n');
});

test('text: one line, facts as pairs', () => {
  const { lines, log } = capture('notice', 'text');
  log.error('it broke\n  at here', { port: 8000, host: 'a' });
  expect(lines[0]).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \[error\] it broke \| at here port=8000 host=a\n$/);
});

test('text: what a terminal would do as it is told is spelt out', () => {
  const { lines, log } = capture('notice', 'text');
  log.error('the model said \x1b]0;mine\x07\x9b2J', { said: 'a\tb\x7f' });
  expect(lines[0]).toEndWith('the model said %1B]0;mine%07%C2%9B2J said=a\tb%7F\n');
});

test('entries below the level are left out, and the level may change', () => {
  const { lines, log } = capture('warn', 'json');
  log.notice('before');
  log.level = 'debug';
  log.debug('after');
  expect(lines.map(line => JSON.parse(line).message)).toEqual(['after']);
});

test('secrets are taken out of messages and facts', () => {
  const { lines, log } = capture('debug', 'json');
  log.info('refused Bearer abc123', { authorization: 'x', error: new Error('sk-1234567890') });
  expect(lines[0]).not.toMatch(/abc123|"x"|sk-1234567890/);
});
