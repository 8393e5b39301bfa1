import { EventStreamCodec } from '@smithy/eventstream-codec';

const codec = new EventStreamCodec(
  bytes => new TextDecoder().decode(bytes),
  text => new TextEncoder().encode(text),
);

/** One message of an AWS event stream, said as the SDKs say it: `{ "contentBlockDelta": { … } }`. */
export function awsMessage(message: object): Uint8Array {
  const [[name, body] = ['', {}]] = Object.entries(message);
  const kind = name.endsWith('Exception') ? 'exception' : 'event';
  return rawAwsMessage({ ':message-type': kind, [`:${kind}-type`]: name, ':content-type': 'application/json' }, JSON.stringify(body));
}

export function rawAwsMessage(headers: Readonly<Record<string, string>>, body: string): Uint8Array {
  const named = Object.entries(headers).map(([name, value]) => [name, { type: 'string' as const, value }] as const);
  return codec.encode({ headers: Object.fromEntries(named), body: new TextEncoder().encode(body) });
}
