import { noteKey } from '../context.ts';
import type { Observation } from './observation.ts';
import type { LlmCall, RouteType } from './request.ts';

/** An exchange with a model, for plugins that tell of it. */
export interface ObservedExchange {
  readonly provider: string;
  readonly routeType: RouteType;
  readonly call: LlmCall;
  readonly observation: Observation;
}

export const observedExchangeKey = noteKey<ObservedExchange>('exchange with a model');
