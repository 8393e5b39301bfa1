import type { Expirable } from '../lib/deadlines.ts';

/** A call under way: ended by the client who leaves, and by its deadline. */
export class Call implements EventListenerObject, Expirable {
  readonly controller = new AbortController();
  timedOut = false;

  handleEvent(): void {
    this.controller.abort();
  }

  expire(): void {
    this.timedOut = true;
    this.controller.abort();
  }
}

/** The client is gone: there is nobody to answer. */
export class ClientLeft extends Error {}
