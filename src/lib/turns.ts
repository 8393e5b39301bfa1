/** Runs jobs one after the other, in the order they came, whatever becomes of those before. */
export function createTurns(): <T>(job: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return job => {
    const turn = last.then(job);
    last = turn.catch(() => undefined);
    return turn;
  };
}
