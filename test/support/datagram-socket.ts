export const python = Bun.which('python3');
if (!python) console.log('skipped: needs python3');

/** systemd's end of NOTIFY_SOCKET, which Bun cannot open: prints a line when it listens, then one for each message. */
const RECEIVER = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1].replace('@', '\\0'))
sys.stdout.write('listening\\n')
while True:
    sys.stdout.flush()
    sys.stdout.write(s.recv(200).decode().split('\\n')[0] + '\\n')
`;

export interface NotifySocket extends Disposable {
  /** The next message's first line. */
  next(): Promise<string>;
}

/** Listens at a path, or at an abstract name, which begins with @. Needs python3. */
export async function openNotifySocket(path: string): Promise<NotifySocket> {
  const receiver = Bun.spawn([python as string, '-c', RECEIVER, path], { stdout: 'pipe' });
  const reader = receiver.stdout.getReader();
  let text = '';
  const next = async () => {
    while (!text.includes('\n')) {
      const { done, value } = await reader.read();
      if (done) throw new Error('the receiver of notifications ended');
      text += new TextDecoder().decode(value);
    }
    const [line = '', ...rest] = text.split('\n');
    text = rest.join('\n');
    return line;
  };
  if ((await next()) !== 'listening') throw new Error('the receiver of notifications does not listen');
  return { next, [Symbol.dispose]: () => receiver.kill() };
}
