import type { Infer } from '../../schema/field.ts';
import { array, record, string } from '../../schema/field.ts';
import { headerName } from '../../schema/typedefs.ts';
import { EXTRACTORS, INJECTORS } from './formats.ts';
import { type Extracted, type HeadersIn, type HeadersOut, NOTHING, type TraceContext, type TraceFormat } from './trace-context.ts';

const PRESERVE = 'preserve';
const names = <Formats extends object>(formats: Formats) => Object.keys(formats) as (keyof Formats & string)[];

/** In Kong's order. */
export const HEADER_TYPES = [PRESERVE, 'ignore', 'b3', 'b3-single', 'w3c', 'jaeger', 'ot', 'aws', 'gcp', 'datadog', 'instana'] as const;

export const propagation = record(
  {
    extract: array(string({ one_of: names(EXTRACTORS) })),
    clear: array(headerName),
    inject: array(string({ one_of: [PRESERVE, ...names(INJECTORS)] })),
    default_format: string({ required: true, one_of: names(INJECTORS) }),
  },
  { default: { default_format: 'w3c' } },
);

export interface Propagation {
  /** What the client told of its trace, and how it told it. */
  extract(headers: HeadersIn): { readonly extracted: Extracted; readonly format: TraceFormat } | null;
  /** Tells the upstream, and answers the trace's id as each format has it. `format` is the client's. */
  inject(context: TraceContext, format: TraceFormat | null, headers: HeadersOut): Record<string, string>;
}

/** `headerType` is Kong's older word, which counts where `propagation` says nothing but its default format. */
export function compilePropagation(config: Infer<typeof propagation>, headerType: (typeof HEADER_TYPES)[number] | null): Propagation {
  const said = config?.extract || config?.clear || config?.inject ? config : meantBy(headerType, config?.default_format ?? 'w3c');
  const extractors = (said.extract ?? []).map(name => EXTRACTORS[name]);
  const cleared = (said.clear ?? []).map(name => name.toLowerCase());
  const usual = INJECTORS[said.default_format];
  const injectors = (said.inject ?? []).map(name => (name === PRESERVE ? null : INJECTORS[name]));
  const nameOf = new Map<TraceFormat, string>(names(INJECTORS).map(name => [INJECTORS[name], name === 'b3-single' ? 'b3' : name]));

  return {
    extract(headers) {
      for (const format of extractors) {
        const extracted = format.extract(headers);
        if (extracted !== null) return { extracted, format };
      }
      return null;
    },
    inject(context, format, headers) {
      for (const name of cleared) if (name in headers) delete headers[name];
      const ids: Record<string, string> = {};
      for (const injector of injectors) {
        const chosen = injector ?? asItCame(format, context) ?? usual;
        ids[nameOf.get(chosen) ?? ''] = chosen.inject(context, headers);
      }
      return ids;
    },
  };
}

const asItCame = (format: TraceFormat | null, { remains }: TraceContext) =>
  format === INJECTORS.b3 && remains.single ? INJECTORS['b3-single'] : format;

type Said = Pick<NonNullable<Infer<typeof propagation>>, 'extract' | 'inject' | 'clear' | 'default_format'>;

function meantBy(headerType: (typeof HEADER_TYPES)[number] | null, default_format: Said['default_format']): Said {
  const extract = names(EXTRACTORS);
  const said = { extract: null, clear: null, inject: null, default_format };
  if (headerType === null) return said;
  if (headerType === 'ignore') return { ...said, inject: [default_format] };
  return { ...said, extract, inject: headerType === PRESERVE ? [PRESERVE] : [PRESERVE, headerType] };
}

/** For a request that came with no trace. */
export const UNTRACED: Extracted = { traceId: null, spanId: null, sampled: null, remains: NOTHING };
