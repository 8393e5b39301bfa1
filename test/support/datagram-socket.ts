export const python = Bun.which('python3');
if (!python) console.log('skipped: needs python3');

/** The other end of a datagram socket, which Bun cannot open: prints a line when it listens, then one of JSON for each message. */
const RECEIVER = `
import json, signal, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1].replace('@', '\\0'))
print('"listening"', flush=True)
while sys.argv[2] == 'stopped':
    signal.pause()
while True:
    print(json.dumps(s.recv(1 << 22).decode()))
    sys.stdout.flush()
`;

export interface DatagramSocket extends Disposable {
  /** The next message. */
  next(): Promise<string>;
}

/** Listens at a path, or at an abstract name, which begins with @. One that is `stopped` takes no message. Needs python3. */
export async function openDatagramSocket(path: string, state: 'reading' | 'stopped' = 'reading'): Promise<DatagramSocket> {
  const receiver = Bun.spawn([python as string, '-c', RECEIVER, path, state], { stdout: 'pipe', stderr: 'ignore' });
  const reader = receiver.stdout.getReader();
  const decoder = new TextDecoder();
  let rest = '';
  const messages: string[] = [];
  const next = async () => {
    while (messages.length === 0) {
      const { done, value } = await reader.read();
      if (done) throw new Error('the receiver of datagrams ended');
      const lines = (rest + decoder.decode(value, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      messages.push(...lines.map(line => JSON.parse(line) as string));
    }
    return messages.shift() as string;
  };
  if ((await next()) !== 'listening') throw new Error('the receiver of datagrams does not listen');
  return { next, [Symbol.dispose]: () => receiver.kill() };
}
