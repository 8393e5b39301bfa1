import { openCollector } from './collector.ts';

// OTLP as protobuf, read by the numbers of its fields: https://github.com/open-telemetry/opentelemetry-proto

type Raw = number | bigint | Uint8Array;
type Reading = (raw: Raw) => unknown;
/** By the number of a field: its name, how it is read, and whether there may be many of it. */
type Message = Readonly<Record<number, readonly [name: string, read: Reading, many?: 'many']>>;

function* fieldsOf(bytes: Uint8Array): Iterable<readonly [number: number, value: Raw]> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 0;
  const varint = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = view.getUint8(at++);
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < bytes.length) {
    const tag = Number(varint());
    const [number, wire] = [tag >> 3, tag & 7];
    if (wire === 0) {
      yield [number, varint()];
      continue;
    }
    const length = { 1: 8, 2: wire === 2 ? Number(varint()) : 0, 5: 4 }[wire];
    if (length === undefined) throw new Error(`wire type ${wire}`);
    const start = at;
    at += length;
    if (wire === 1) yield [number, view.getBigUint64(start, true)];
    else if (wire === 5) yield [number, view.getUint32(start, true)];
    else yield [number, bytes.subarray(start, at)];
  }
}

const message =
  (fields: Message): Reading =>
  raw => {
    const read: Record<string, unknown> = {};
    for (const [number, value] of fieldsOf(raw as Uint8Array)) {
      const field = fields[number];
      if (field === undefined) continue;
      const [name, reading, many] = field;
      read[name] = many ? [...((read[name] as unknown[] | undefined) ?? []), reading(value)] : reading(value);
    }
    return read;
  };

const text: Reading = raw => new TextDecoder('utf-8', { fatal: true }).decode(raw as Uint8Array);
const hex: Reading = raw => Buffer.from(raw as Uint8Array).toString('hex');
const whole: Reading = raw => Number(raw);
const yes: Reading = raw => raw === 1n;
const double: Reading = raw => {
  const bytes = new DataView(new ArrayBuffer(8));
  bytes.setBigUint64(0, raw as bigint);
  return bytes.getFloat64(0);
};
const nanoseconds: Reading = raw => raw;

const list: Reading = raw => (message({ 1: ['values', any, 'many'] })(raw) as { values?: unknown[] }).values ?? [];
const any: Reading = raw =>
  Object.values(message({ 1: ['', text], 2: ['', yes], 3: ['', whole], 4: ['', double], 5: ['', list] })(raw) as object)[0];
const keyValue = message({ 1: ['key', text], 2: ['value', any] });
const scope = message({ 1: ['name', text], 2: ['version', text] });
const resource = message({ 1: ['attributes', keyValue, 'many'] });

const span = message({
  1: ['traceId', hex],
  2: ['spanId', hex],
  4: ['parentSpanId', hex],
  5: ['name', text],
  6: ['kind', whole],
  7: ['start', nanoseconds],
  8: ['end', nanoseconds],
  9: ['attributes', keyValue, 'many'],
  15: ['status', message({ 3: ['code', whole] })],
});
const record = message({
  1: ['time', nanoseconds],
  2: ['severityNumber', whole],
  3: ['severityText', text],
  5: ['body', any],
  6: ['attributes', keyValue, 'many'],
  8: ['flags', whole],
  9: ['traceId', hex],
  10: ['spanId', hex],
});
const request = (entry: Reading) =>
  message({
    1: [
      'groups',
      message({ 1: ['resource', resource], 2: ['scopes', message({ 1: ['scope', scope], 2: ['entries', entry, 'many'] }), 'many'] }),
      'many',
    ],
  });

type Attributes = Readonly<Record<string, unknown>>;
interface Entry {
  readonly attributes: Attributes;
  readonly resource: Attributes;
  readonly scope: string;
}
export interface ReceivedSpan extends Entry {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly name: string;
  readonly kind: number;
  readonly start: bigint;
  readonly end: bigint;
  readonly status: { readonly code?: number };
}
export interface ReceivedRecord extends Entry {
  readonly time: bigint;
  readonly severityNumber: number;
  readonly severityText: string;
  readonly body: string;
  readonly traceId: string | undefined;
  readonly spanId: string | undefined;
}

const named = (pairs: readonly { key: string; value: unknown }[] = []): Attributes =>
  Object.fromEntries(pairs.map(({ key, value }) => [key, value]));

function entriesIn(bytes: Uint8Array, entry: Reading): Entry[] {
  const { groups = [] } = request(entry)(bytes) as {
    groups?: { resource: { attributes: [] }; scopes: { scope: { name: string }; entries: { attributes: [] }[] }[] }[];
  };
  return groups.flatMap(group =>
    group.scopes.flatMap(({ scope, entries }) =>
      entries.map(one => ({ ...one, attributes: named(one.attributes), resource: named(group.resource.attributes), scope: scope.name })),
    ),
  );
}

/** An OTLP server for traces at `/v1/traces` and logs at `/v1/logs`, which answers as `openCollector` does. */
export function openOtlpCollector(...statuses: number[]) {
  const collector = openCollector(...statuses);
  const at = (path: string) => collector.requests.filter(request => request.path === path);
  const spans = () => at('/v1/traces').flatMap(({ bytes }) => entriesIn(bytes, span) as ReceivedSpan[]);
  const records = () => at('/v1/logs').flatMap(({ bytes }) => entriesIn(bytes, record) as ReceivedRecord[]);
  const until = async <T>(look: () => readonly T[], enough: (all: readonly T[]) => boolean) => {
    for (;;) {
      const all = look();
      if (enough(all)) return all;
      await collector.received(collector.requests.length + 1);
    }
  };
  return {
    requests: collector.requests,
    url: `http://${collector.authority}`,
    authority: collector.authority,
    /** All spans, once there are so many. */
    spans: (count: number) => until(spans, all => all.length >= count),
    /** All log records, once one fits. */
    records: (fits: (record: ReceivedRecord) => boolean) => until(records, all => all.some(fits)),
    received: collector.received,
    [Symbol.asyncDispose]: collector[Symbol.asyncDispose],
  };
}
