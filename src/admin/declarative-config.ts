import { isObject, parseJson } from '../lib/json.ts';
import { RequestFailure } from '../lib/request-failure.ts';
import { writeDeclarative } from '../store/declarative.ts';
import { DeclarativeError } from '../store/declarative-error.ts';
import type { Store } from '../store/store.ts';
import type { Endpoint } from './admin-context.ts';
import { decodeText, mediaType, readBody, readBytes } from './body.ts';

const YAML_TYPES = ['application/yaml', 'application/x-yaml', 'text/yaml', 'text/x-yaml', 'text/plain'];

/** What holds a configuration without a database. */
export interface DeclarativeTarget {
  /** Whether this is the text that is served. */
  isServed(text: string): boolean;
  /** Throws a DeclarativeError for text that is no configuration: the old one stays then. */
  load(text: string): Promise<void>;
}

/** `/config`: the whole configuration at once, where no database holds it. Where one does, the target is null. */
export function declarativeEndpoints(store: Store, target: DeclarativeTarget | null): Endpoint[] {
  const unavailable = { message: 'this endpoint is only available when Kong is configured to not use a database' };
  return [
    {
      path: '/config',
      methods: {
        GET: context => (target ? context.json({ config: writeDeclarative(store) }) : context.json(unavailable, 400)),
        POST: async context => {
          if (!target) return context.json(unavailable, 400);
          const { text, option } = await readUpload(context.req.raw);
          const { check_hash = option('check_hash'), flatten_errors = option('flatten_errors') } = context.req.query();
          if (check_hash === '1' && target.isServed(text)) return context.body(null, 304);
          try {
            await target.load(text);
          } catch (error) {
            if (!(error instanceof DeclarativeError)) throw error;
            return context.json(refusal(error, isTrue(flatten_errors)), 400);
          }
          return context.json(everyRow(store), 201);
        },
      },
    },
  ];
}

interface Upload {
  readonly text: string;
  /** What the body says beside the configuration. */
  option(name: string): string | undefined;
}

const OPTIONS = ['check_hash', 'flatten_errors'];

/** The form field `config`, the JSON member `config`, or a body that is the configuration itself. */
async function readUpload(request: Request): Promise<Upload> {
  const type = mediaType(request);
  if (type === 'application/json' || YAML_TYPES.includes(type)) {
    const text = decodeText(await readBytes(request), 'the configuration is not UTF-8');
    const value = type === 'application/json' ? parseJson(text) : undefined;
    if (type === 'application/json' && !isObject(value)) throw new RequestFailure(400, 'Cannot parse JSON body');
    if (!isObject(value)) return { text, option: () => undefined };
    const option = (name: string) => (Object.hasOwn(value, name) ? String(value[name]) : undefined);
    if (typeof value['config'] === 'string') return { text: value['config'], option };
    if ('_format_version' in value) return { text: OPTIONS.some(name => name in value) ? without(value, OPTIONS) : text, option };
  } else {
    const body = await readBody(request);
    const text = body.text('config');
    if (text !== undefined) return { text, option: name => body.text(name) };
  }
  throw new RequestFailure(400, 'expected a declarative configuration');
}

const without = (value: object, names: readonly string[]) =>
  JSON.stringify(Object.fromEntries(Object.entries(value).filter(([name]) => !names.includes(name))));

const isTrue = (option: string | undefined) => ['true', '1', 'on', 'yes'].includes(option?.toLowerCase() ?? '');

/** As Kong's errors, with a line of the text for each reason in the message. */
function refusal({ name, code, message, fields, flattened, others }: DeclarativeError, isFlat: boolean) {
  const body = { name, code, message: `declarative config is invalid: ${message}` };
  return isFlat ? { ...body, fields: others, flattened_errors: flattened } : { ...body, fields };
}

/** As Kong answers: by entity, then by id. */
function everyRow(store: Store): object {
  return Object.fromEntries(
    [...store.entities.values()].map(entity => [entity.name, Object.fromEntries([...store.all(entity)].map(row => [row.id, row]))]),
  );
}
