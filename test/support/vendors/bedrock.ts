import { awsMessage } from '../aws-messages.ts';
import { halves, type Vendor } from './vendor.ts';

/** https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html and …_ConverseStream.html */
export const bedrock: Vendor = {
  name: 'bedrock',
  provider: 'bedrock',
  model: 'eu.anthropic.claude-sonnet-4-5-20250929-v1:0',
  auth: { aws_access_key_id: 'AKIDEXAMPLE', aws_secret_access_key: 'the-gateways-key' },
  options: url => ({ upstream_url: url, bedrock: { aws_region: 'eu-central-1' } }),
  paidBy: ['authorization', /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/\d{8}\/eu-central-1\/bedrock\/aws4_request, /],
  streams: ({ target }) => target.endsWith('/converse-stream'),
  streamType: 'application/vnd.amazon.eventstream',
  whole: ({ text, calls = [] }) => ({
    output: {
      message: {
        role: 'assistant',
        content: [
          ...(text === undefined ? [] : [{ text }]),
          ...calls.map(({ id, name, input }) => ({ toolUse: { toolUseId: id, name, input } })),
        ],
      },
    },
    stopReason: calls.length > 0 ? 'tool_use' : 'end_turn',
    usage: { inputTokens: 19, outputTokens: 10, totalTokens: 29 },
    metrics: { latencyMs: 642 },
  }),
  stream({ text, calls = [] }) {
    const deltas = (contentBlockIndex: number, parts: readonly object[]) =>
      parts.map(delta => ({ contentBlockDelta: { contentBlockIndex, delta } }));
    const first = text === undefined ? 0 : 1;
    return [
      { messageStart: { role: 'assistant' } },
      ...(text === undefined
        ? []
        : [
            ...deltas(
              0,
              halves(text).map(part => ({ text: part })),
            ),
            { contentBlockStop: { contentBlockIndex: 0 } },
          ]),
      ...calls.flatMap(({ id, name, input }, index) => [
        { contentBlockStart: { contentBlockIndex: first + index, start: { toolUse: { toolUseId: id, name } } } },
        ...deltas(
          first + index,
          halves(JSON.stringify(input)).map(part => ({ toolUse: { input: part } })),
        ),
        { contentBlockStop: { contentBlockIndex: first + index } },
      ]),
      { messageStop: { stopReason: calls.length > 0 ? 'tool_use' : 'end_turn' } },
      { metadata: { usage: { inputTokens: 19, outputTokens: 10, totalTokens: 29 }, metrics: { latencyMs: 911 } } },
    ].map(message => awsMessage(message));
  },
  kept: id => [id],
};
