/** Time, so that a test can bring its own. */
export interface Clock {
  /** Milliseconds that never go back. */
  now(): number;
  /** Calls back once, unless the returned function is called before. Keeps no process alive. */
  after(milliseconds: number, call: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  after(milliseconds, call) {
    const timer = setTimeout(call, milliseconds).unref();
    return () => clearTimeout(timer);
  },
};
