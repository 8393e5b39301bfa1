type Awaitable<T> = T | Promise<T>;

/** One count of a limit: so much, in this window of time. */
export interface Window {
  readonly key: string;
  /** In milliseconds since 1970. */
  readonly endsAt: number;
  /** Nothing is added to what holds as much or more. */
  readonly limit: number;
  /** What is to be added: a whole number. */
  readonly amount: number;
}

export interface Taken {
  /** What each window held before. */
  readonly counts: readonly number[];
  /** The first window that was full, so that nothing was added to any; -1: there was none. */
  readonly full: number;
}

/** Where windows are counted. A key is one window's: another window has another key. Both methods throw or reject when nobody can say. */
export interface WindowCounters {
  read(windows: readonly Window[]): Awaitable<readonly number[]>;
  /** Adds to all windows or to none. Of several that try at once, as many succeed as there is room for. */
  take(windows: readonly Window[]): Awaitable<Taken>;
}

/** What `take` comes to, once it is known what the windows hold. */
export function taken(windows: readonly Window[], counts: readonly number[]): Taken {
  return { counts, full: windows.findIndex(({ limit, amount }, index) => amount > 0 && (counts[index] ?? 0) >= limit) };
}
