export const python = Bun.which('python3');
if (!python) console.log('skipped: needs python3');

/** Listens, and takes nobody: who connects hears nothing, as from a machine that is off. */
const SCRIPT = `
import socket, sys
listener = socket.socket()
listener.bind(('127.0.0.1', 0))
listener.listen(0)
waiting = []
for _ in range(8):
    client = socket.socket()
    client.setblocking(False)
    client.connect_ex(listener.getsockname())
    waiting.append(client)
print(listener.getsockname()[1], flush=True)
sys.stdin.read()
`;

/** A port on which no connection comes about. Needs python3. */
export async function startUnreachable() {
  const child = Bun.spawn([python ?? 'python3', '-c', SCRIPT], { stdin: 'pipe', stdout: 'pipe' });
  const { value } = await child.stdout.getReader().read();
  return { port: Number(Buffer.from(value ?? []).toString()), [Symbol.dispose]: () => child.kill() };
}
