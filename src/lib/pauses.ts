const LONGEST_RUN_MILLISECONDS = 10;

/** For long work that must not hold up requests: what it returns is to be awaited often, and lets others run now and then. */
export function createPauses(): () => Promise<void> | undefined {
  let since = performance.now();
  return () => {
    if (performance.now() - since < LONGEST_RUN_MILLISECONDS) return undefined;
    return new Promise(resolve => {
      setImmediate(() => {
        since = performance.now();
        resolve();
      });
    });
  };
}
