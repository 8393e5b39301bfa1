import { afterAll, beforeEach } from 'bun:test';
import { startUpstream, type Upstream } from '../support/upstream.ts';

interface Server {
  readonly port: number;
}

/** Two servers for the tests of one file: each answers with its name, `one` or `two`, until a test says otherwise. */
export function oneAndTwo(): readonly [Upstream, Upstream] {
  const one = startUpstream();
  const two = startUpstream();
  afterAll(() => {
    one.stop();
    two.stop();
  });
  beforeEach(() => {
    one.answer({ body: 'one' });
    two.answer({ body: 'two' });
  });
  return [one, two];
}

export const nameOf = ({ port }: Server): string => `127.0.0.1:${port}`;

export const at = (server: Server, weight = 100) => ({ target: nameOf(server), weight });
