import { isObject, parseJson } from '../lib/json.ts';
import { RequestFailure } from '../lib/request-failure.ts';
import { writeDeclarative } from '../store/declarative.ts';
import type { Store } from '../store/store.ts';
import type { Endpoint } from './admin-context.ts';
import { decodeText, mediaType, readBody, readBytes } from './body.ts';

const YAML_TYPES = ['application/yaml', 'application/x-yaml', 'text/yaml', 'text/x-yaml', 'text/plain'];

/**
 * `/config`: the whole configuration at once, where no database holds it. `load` is null where one does; it throws an
 * EntityError for text that is no configuration, and then the old one stays.
 */
export function declarativeEndpoints(store: Store, load: ((text: string) => Promise<void>) | null): Endpoint[] {
  const unavailable = { message: 'this endpoint is only available when Kong is configured to not use a database' };
  return [
    {
      path: '/config',
      methods: {
        GET: context => (load ? context.json({ config: writeDeclarative(store) }) : context.json(unavailable, 400)),
        POST: async context => {
          if (!load) return context.json(unavailable, 400);
          await load(await configurationText(context.req.raw));
          return context.json(everyRow(store), 201);
        },
      },
    },
  ];
}

/** The form field `config`, the JSON member `config`, or a body that is the configuration itself. */
async function configurationText(request: Request): Promise<string> {
  const type = mediaType(request);
  if (type === 'application/json' || YAML_TYPES.includes(type)) {
    const text = decodeText(await readBytes(request), 'the configuration is not UTF-8');
    const value = type === 'application/json' ? parseJson(text) : undefined;
    if (type === 'application/json' && !isObject(value)) throw new RequestFailure(400, 'Cannot parse JSON body');
    if (!isObject(value) || '_format_version' in value) return text;
    if (typeof value['config'] === 'string') return value['config'];
  } else {
    const text = (await readBody(request)).text('config');
    if (text !== undefined) return text;
  }
  throw new RequestFailure(400, 'expected a declarative configuration');
}

/** As Kong answers: by entity, then by id. */
function everyRow(store: Store): object {
  return Object.fromEntries(
    [...store.entities.values()].map(entity => [entity.name, Object.fromEntries([...store.all(entity)].map(row => [row.id, row]))]),
  );
}
