import { EVENTS, event, halves, type Said, type Vendor } from './vendor.ts';

/** https://ai.google.dev/api/generate-content and https://ai.google.dev/gemini-api/docs/thought-signatures */
export const gemini: Vendor = {
  name: 'gemini',
  provider: 'gemini',
  model: 'gemini-3-pro-preview',
  auth: { header_name: 'x-goog-api-key', header_value: 'the-gateways-key' },
  options: url => ({ upstream_url: `${url}/v1beta/models/gemini-3-pro-preview:generateContent` }),
  paidBy: ['x-goog-api-key', 'the-gateways-key'],
  streams: ({ target }) => target.includes(':streamGenerateContent?alt=sse'),
  streamType: EVENTS,
  whole: said => geminiAnswer(geminiParts(said), true),
  stream: ({ text, calls }) => {
    const parts = [...halves(text ?? '').map(part => ({ text: part })), ...geminiParts(calls ? { calls } : {})];
    return parts.map((part, index) => event(geminiAnswer([part], index === parts.length - 1)));
  },
  kept: id => [id, signatureOf(id)],
};

const signatureOf = (id: string) => Buffer.from(`signature of ${id}`).toString('base64');

const geminiParts = ({ text, calls = [] }: Said): object[] => [
  ...(text === undefined ? [] : [{ text }]),
  ...calls.map(({ id, name, input }) => ({ functionCall: { id, name, args: input }, thoughtSignature: signatureOf(id) })),
];

const geminiAnswer = (parts: object[], last: boolean) => ({
  candidates: [{ content: { parts, role: 'model' }, index: 0, ...(last && { finishReason: 'STOP' }) }],
  usageMetadata: { promptTokenCount: 19, candidatesTokenCount: 10, totalTokenCount: 29 },
  modelVersion: 'gemini-3-pro-preview',
  responseId: 'mAitaLmkHPPlz7IPvtfUqQ4',
});
