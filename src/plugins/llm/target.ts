import { ConfigurationError } from '../../lib/configuration-error.ts';
import { isObject } from '../../lib/json.ts';
import { RequestFailure } from '../../lib/request-failure.ts';
import type { Context } from '../context.ts';
import { compileTemplate } from './template.ts';

/** Targets made for what requests filled in. Clients choose them, so there is an end to how many are kept. */
const MOST_KEPT = 256;

type Options = Readonly<Record<string, unknown>>;

/**
 * What `make` makes of a model's options: once, when they are the same for all requests; else for each choice of values that
 * requests fill into their templates, those made last being kept. Throws a ConfigurationError for a template nobody can fill in.
 */
export function compileTarget<Made>(options: Options | null, make: (options: Options) => Made): (context: Context) => Made {
  const templates = [...templatesOf(options ?? {}, 'model.options')];
  if (templates.length === 0) {
    const made = make(options ?? {});
    return () => made;
  }
  const kept = new Map<string, Made>();
  return context => {
    const values = templates.map(({ read }) => read(context));
    const key = JSON.stringify(values);
    const made = kept.get(key) ?? bind(make, filled(options, new Map(templates.map(({ path }, index) => [path, values[index] ?? '']))));
    kept.delete(key);
    kept.set(key, made);
    for (const oldest of kept.keys()) {
      if (kept.size <= MOST_KEPT) break;
      kept.delete(oldest);
    }
    return made;
  };
}

interface Filling {
  readonly path: string;
  read(context: Context): string;
}

function* templatesOf(record: Options, path: string): Iterable<Filling> {
  for (const [name, value] of Object.entries(record)) {
    const field = `${path}.${name}`;
    if (isObject(value)) yield* templatesOf(value, field);
    const template = typeof value === 'string' ? compileTemplate(value, field) : null;
    if (typeof template !== 'function') continue;
    if (name.endsWith('_url')) throw new ConfigurationError('clients must not choose where their requests go', field);
    yield { path: field, read: template };
  }
}

function filled(record: Options | null, values: ReadonlyMap<string, string>, path = 'model.options'): Options {
  const members = Object.entries(record ?? {}).map(([name, value]) => {
    const field = `${path}.${name}`;
    return [name, isObject(value) ? filled(value, values, field) : (values.get(field) ?? value)];
  });
  return Object.fromEntries(members);
}

/** Values that cannot work are the client's mistake here. */
function bind<Made>(make: (options: Options) => Made, options: Options): Made {
  try {
    return make(options);
  } catch (error) {
    if (error instanceof ConfigurationError) throw new RequestFailure(400, `${error.field ?? 'model.options'}: ${error.message}`);
    throw error;
  }
}
