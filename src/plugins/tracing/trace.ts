import { randomHex } from '../../lib/random-hex.ts';
import type { Extracted, Remains, TraceContext } from './trace-context.ts';

/** The trace of one request. */
export interface Trace {
  readonly traceId: string;
  /** Of the span that is the request. */
  readonly rootId: string;
  /** Of the span that calls the upstream, which the upstream is told. */
  readonly calledId: string;
  /** The client's span; null: there is none. */
  readonly parentId: string | null;
  readonly sampled: boolean;
}

export const STRATEGIES = ['parent_drop_probability_fallback', 'parent_probability_fallback'] as const;

/**
 * Whether a trace is sampled. The client's `false` counts; its `true` where the strategy says so. Otherwise so many of all
 * traces are, and every gateway decides alike about one.
 */
export function sampler(rate: number, strategy: (typeof STRATEGIES)[number]): (traceId: string, parents: boolean | null) => boolean {
  const parentsCounts = strategy === 'parent_probability_fallback';
  return (traceId, parents) => {
    if (parents === false || (parents && parentsCounts)) return parents;
    return Number.parseInt(traceId.slice(-RANDOM_DIGITS), 16) < rate * 16 ** RANDOM_DIGITS;
  };
}
/** The end of an id is random in every format. */
const RANDOM_DIGITS = 8;

export function beginTrace({ traceId: given, spanId, sampled }: Extracted, isSampled: ReturnType<typeof sampler>): Trace {
  const traceId = given ?? randomHex(32);
  return { traceId, rootId: randomSpanId(), calledId: randomSpanId(), parentId: spanId, sampled: isSampled(traceId, sampled) };
}

export const randomSpanId = (): string => randomHex(16);

/** What the upstream is told. */
export const toldUpstream = ({ traceId, rootId, calledId, sampled }: Trace, remains: Remains): TraceContext => ({
  traceId,
  spanId: calledId,
  parentId: rootId,
  sampled,
  remains,
});
