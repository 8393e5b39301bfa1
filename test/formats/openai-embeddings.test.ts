import { expect, test } from 'bun:test';
import { openaiEmbeddings } from '../../src/formats/openai-embeddings.ts';

const facts = { id: '1', model: 'asked', created: 1, includeUsage: false };
const data = [{ index: 0, embedding: [0.5, -1, 1e-7] }];

test('embeddings are what OpenAI documents, and what the vendor left out is filled in', () => {
  expect(openaiEmbeddings.answer({ data }, facts)).toEqual({
    object: 'list',
    data: [{ object: 'embedding', index: 0, embedding: [0.5, -1, 1e-7] }],
    model: 'asked',
    usage: { prompt_tokens: 0, total_tokens: 0 },
  });
});

test('as base64 they are floats of 32 bits, as clients decode them', () => {
  const answer = openaiEmbeddings.answer({ data }, { ...facts, base64: true }) as { data: { embedding: string }[] };
  const bytes = Buffer.from(answer.data[0]?.embedding ?? '', 'base64');
  const numbers = [...new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length))];
  expect(numbers).toEqual([0.5, -1, Math.fround(1e-7)]);
});
