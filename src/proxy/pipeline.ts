import { handlerFor, type Plan, type Slot } from '../gateway/snapshot.ts';
import type { Log } from '../lib/log.ts';
import type { RequestContext } from './request-context.ts';

/** Runs the access phase: the first Response answers the client. What a plugin throws goes on to the caller. */
export async function runAccess(slots: Plan['access'], context: RequestContext): Promise<Response | undefined> {
  for (const slot of slots) {
    const result = pick(slot, context)?.(context);
    const early = result instanceof Promise ? await result : result;
    if (early) return early;
  }
  return undefined;
}

/** Runs the response phase. A plugin that throws is passed over; once it has read the body, there is nothing left to answer with. */
export async function runResponse(slots: Plan['response'], context: RequestContext, response: Response, log: Log): Promise<Response> {
  let current = response;
  for (const slot of slots) {
    try {
      const result = pick(slot, context)?.(context, current);
      current = (result instanceof Promise ? await result : result) ?? current;
    } catch (error) {
      if (current.bodyUsed) throw error;
      report(log, slot.plugin, 'response', context, error);
    }
  }
  return current;
}

/** Runs the log phase to its end, whatever its plugins throw. A promise only where one of them waits. */
export function runLog(slots: Plan['log'], context: RequestContext, log: Log, from = 0): void | Promise<void> {
  for (let index = from; index < slots.length; index++) {
    const slot = slots[index] as Plan['log'][number];
    try {
      const result = pick(slot, context)?.(context);
      if (!(result instanceof Promise)) continue;
      const settled = result.catch(error => report(log, slot.plugin, 'log', context, error));
      return settled.then(() => runLog(slots, context, log, index + 1));
    } catch (error) {
      report(log, slot.plugin, 'log', context, error);
    }
  }
}

function report(log: Log, plugin: string, phase: string, context: RequestContext, error: unknown): void {
  log.error(`plugin ${plugin} failed in its ${phase} phase`, { request_id: context.id, error });
}

const pick = <Handler>(slot: Slot<Handler>, { consumer, snapshot }: RequestContext): Handler | null =>
  slot.byOwner === null || consumer === null ? slot.anyone : handlerFor(slot, consumer.id, snapshot.groupsOf(consumer.id));
