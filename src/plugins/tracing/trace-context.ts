/** What of a trace goes from one service to the next. Ids are hex digits: 32 of the trace, 16 of a span. */
export interface TraceContext {
  readonly traceId: string;
  /** The span that calls. */
  readonly spanId: string;
  /** The span above that one. */
  readonly parentId: string | null;
  readonly sampled: boolean;
  readonly remains: Remains;
}

/** What a client told of its trace that the gateway itself makes no use of. */
export interface Remains {
  /** The trace's id came with so many digits; null: it did not come. */
  readonly digits: 16 | 32 | null;
  /** B3's word that overrides every sampler. */
  readonly debug: boolean;
  /** B3 came in one header. */
  readonly single: boolean;
  readonly baggage: Readonly<Record<string, string>>;
}

export const NOTHING: Remains = { digits: null, debug: false, single: false, baggage: {} };

/** What a client told: `sampled` is null when it left that open, and it may tell that alone. */
export interface Extracted {
  readonly traceId: string | null;
  readonly spanId: string | null;
  readonly sampled: boolean | null;
  readonly remains: Remains;
}

/** By lower-case names. */
export type HeadersIn = Readonly<Record<string, string | undefined>>;
export type HeadersOut = Record<string, string>;

/** How one family of tracers writes a trace into headers. */
export interface TraceFormat {
  /** Null: there is nothing of this format, or nothing that can be read. */
  extract(headers: HeadersIn): Extracted | null;
  /** Answers the trace's id as this format has it, for logs. */
  inject(context: TraceContext, headers: HeadersOut): string;
}

const TRACE_DIGITS = 32;
const SPAN_DIGITS = 16;

/** Null for what is none: all zeros, too long, or not hex. Short ones are filled up. */
export const traceIdOf = (text: string | undefined): string | null => idOf(text, TRACE_DIGITS);
export const spanIdOf = (text: string | undefined): string | null => idOf(text, SPAN_DIGITS);

function idOf(text: string | undefined, digits: number): string | null {
  if (text === undefined || text.length > digits || !/^[0-9a-f]+$/i.test(text) || /^0+$/.test(text)) return null;
  return text.toLowerCase().padStart(digits, '0');
}

export const digitsOf = (traceId: string): 16 | 32 => (traceId.length > SPAN_DIGITS ? TRACE_DIGITS : SPAN_DIGITS);

/** The id with as many digits as it came with, in formats that take both; `usual`: when it did not come. */
export function idAsItCame({ traceId, remains }: TraceContext, usual: 16 | 32 = TRACE_DIGITS): string {
  return traceId.slice(-(remains.digits ?? usual));
}

export const shortId = ({ traceId }: TraceContext): string => traceId.slice(-SPAN_DIGITS);

/** Of formats whose ids are decimal numbers of 64 bits. */
export const toDecimal = (hex: string): string => BigInt(`0x${hex}`).toString();

export function fromDecimal(text: string | undefined): string | undefined {
  const trimmed = text?.trim() ?? '';
  return /^\d{1,20}$/.test(trimmed) ? BigInt(trimmed).toString(16) : undefined;
}
