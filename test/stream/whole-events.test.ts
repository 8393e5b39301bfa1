import { describe, expect, test } from 'bun:test';
import { splitEvents, wholeEvents } from '../../src/stream/whole-events.ts';

const bytesOf = (text: string) => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

describe.each(['\n', '\r', '\r\n'])('with lines that end in %j', end => {
  const events = ['data: a', ': keep-alive', `event: b${end}data: {"é":"🙂"}`, 'data: [DONE]'].map(lines => lines + end + end);
  const bytes = bytesOf(events.join(''));

  test('wholeEvents gives every byte once, in whole events, wherever the chunks are cut', () => {
    for (let first = 0; first <= bytes.length; first += 1) {
      for (let second = first; second <= bytes.length; second += 1) {
        const { take, rest } = wholeEvents();
        const pieces = [bytes.subarray(0, first), bytes.subarray(first, second), bytes.subarray(second)];
        const taken = pieces.map(piece => textOf(take(piece)));
        expect(taken.join('') + textOf(rest())).toBe(events.join(''));
        // A carriage return may be the end of a line or half of one: what is taken lacks no more than a line feed.
        let whole = '';
        for (const text of taken) {
          whole += text;
          expect(
            events
              .map((_, count) => events.slice(0, count + 1).join(''))
              .concat('')
              .some(start => start.startsWith(whole) && start.length - whole.length <= 1),
          ).toBe(true);
        }
      }
    }
  });

  test('wholeEvents fed byte by byte gives each event as it ends', () => {
    const { take, rest } = wholeEvents();
    const taken = [...bytes].map(byte => textOf(take(Uint8Array.of(byte))));
    expect(taken.join('') + textOf(rest())).toBe(events.join(''));
    expect(taken.filter(text => text.trim() !== '').length).toBe(events.length);
  });

  test('splitEvents cuts them apart', () => {
    expect(splitEvents(bytes).map(textOf)).toEqual(events);
  });
});

test('wholeEvents passes a chunk of whole events on as it is', () => {
  const chunk = bytesOf('data: a\n\ndata: b\n\n');
  expect(wholeEvents().take(chunk)).toBe(chunk);
});

test('wholeEvents takes an event of many chunks in linear time', () => {
  const { take } = wholeEvents();
  const piece = bytesOf('x'.repeat(1000));
  for (let count = 0; count < 20_000; count += 1) take(piece);
  expect(take(bytesOf('\n\n')).length).toBe(20_000_002);
});
