import { createSocket } from 'node:dgram';

const TYPES = { A: 1, AAAA: 28, CNAME: 5, SRV: 33 } as const;
type Type = keyof typeof TYPES;

/** One record: `['A', 60, '10.0.0.1']`, `['CNAME', 60, 'other.test']`, `['SRV', 60, '1 5 8080 name.test']`. */
export type Record = readonly [type: Type, ttl: number, data: string];

export interface NameServer {
  /** `127.0.0.1:PORT` */
  readonly address: string;
  /** What was asked, in order: `A name.test`. */
  readonly queries: readonly string[];
  /** What there is from now on. */
  records: Readonly<globalThis.Record<string, readonly Record[]>>;
  /** In place of an answer; `fail SRV` to those questions alone. */
  mode: 'answer' | 'fail' | 'fail SRV' | 'silence';
  /** Resolves once a question came so many times. */
  asked(query: string, times?: number): Promise<void>;
  stop(): void;
}

/** A name server on loopback that knows what it is told, and says that there is no other name. */
export async function startNameServer(records: NameServer['records'] = {}): Promise<NameServer> {
  const socket = createSocket('udp4');
  const queries: string[] = [];
  const watchers = new Set<() => void>();
  const server = {
    address: '',
    queries,
    records,
    mode: 'answer' as NameServer['mode'],
    asked(query: string, times = 1) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const check = () => {
        if (queries.filter(asked => asked === query).length < times) return;
        watchers.delete(check);
        resolve();
      };
      watchers.add(check);
      check();
      return promise;
    },
    stop: () => void socket.close(),
  };
  socket.on('message', (message, from) => {
    const { name, type, end } = question(message);
    const word = (Object.keys(TYPES) as Type[]).find(known => TYPES[known] === type) ?? String(type);
    queries.push(`${word} ${name}`);
    for (const check of [...watchers]) check();
    if (server.mode === 'silence') return;
    const known = server.records[name];
    const fails = server.mode === 'fail' || server.mode === `fail ${word}`;
    const code = fails ? 2 : known === undefined ? 3 : 0;
    const answers = code === 0 ? answersTo(server.records, name, word) : [];
    const header = Buffer.alloc(12);
    message.copy(header, 0, 0, 2);
    header.writeUInt16BE(0x8180 | code, 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(answers.length, 6);
    socket.send(Buffer.concat([header, message.subarray(12, end), ...answers]), from.port, from.address);
  });
  await new Promise<void>(resolve => socket.bind(0, '127.0.0.1', resolve));
  server.address = `127.0.0.1:${socket.address().port}`;
  return server;
}

function question(message: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = [];
  let position = 12;
  for (let length = message[position] ?? 0; length > 0; length = message[position] ?? 0) {
    labels.push(message.toString('latin1', position + 1, position + 1 + length));
    position += length + 1;
  }
  return { name: labels.join('.').toLowerCase(), type: message.readUInt16BE(position + 1), end: position + 5 };
}

/** Of an alias also what it stands for, as resolvers answer. */
function answersTo(records: NameServer['records'], name: string, type: string): Buffer[] {
  return (records[name] ?? []).flatMap(([known, ttl, data]) => {
    if (known === 'CNAME') return [encoded(name, known, ttl, data), ...answersTo(records, data, type)];
    return known === type ? [encoded(name, known, ttl, data)] : [];
  });
}

function encoded(name: string, type: Type, ttl: number, data: string): Buffer {
  const rest = Buffer.alloc(10);
  const bytes = dataOf(type, data);
  rest.writeUInt16BE(TYPES[type], 0);
  rest.writeUInt16BE(1, 2);
  rest.writeUInt32BE(ttl, 4);
  rest.writeUInt16BE(bytes.length, 8);
  return Buffer.concat([encodedName(name), rest, bytes]);
}

function dataOf(type: Type, data: string): Buffer {
  if (type === 'A') return Buffer.from(data.split('.').map(Number));
  if (type === 'AAAA')
    return Buffer.from(data.split(':').flatMap(group => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 255]));
  if (type === 'CNAME') return encodedName(data);
  const [priority = 0, weight = 0, port = 0] = data.split(' ').map(Number);
  const numbers = Buffer.alloc(6);
  for (const [index, number] of [priority, weight, port].entries()) numbers.writeUInt16BE(number, index * 2);
  return Buffer.concat([numbers, encodedName(data.split(' ')[3] ?? '')]);
}

function encodedName(name: string): Buffer {
  const labels = name.split('.').filter(label => label !== '');
  return Buffer.concat([...labels.flatMap(label => [Buffer.from([label.length]), Buffer.from(label)]), Buffer.from([0])]);
}
