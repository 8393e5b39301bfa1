import { connect } from 'node:net';

/** Resolves once nobody takes connections there any more. */
export async function refused(url: string): Promise<void> {
  const { hostname, port } = new URL(url);
  while (await isTaken(hostname, Number(port)));
}

function isTaken(hostname: string, port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(port, hostname, () => {
    socket.destroy();
    resolve(true);
  });
  socket.on('error', () => resolve(false));
  return promise;
}
