import { EntityError } from '../entities/entity-error.ts';

const PATIENCE_MILLISECONDS = 5000;

/** Another process changed the database since it was read: what was to be written may rest on rows that are no more. */
export class Outdated extends EntityError {
  constructor() {
    super('database error', 'cannot write to the database: another process keeps changing it, try again');
  }
}

/** Does work that reads the store and writes to it; again, from the beginning, when another process was faster. */
export async function untilUpToDate<T>(work: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + PATIENCE_MILLISECONDS;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof Outdated) || performance.now() > deadline) throw error;
    }
  }
}
