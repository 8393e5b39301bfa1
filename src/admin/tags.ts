import { EntityError } from '../entities/entity-error.ts';
import { parseJson } from '../lib/json.ts';
import { tag as tagField } from '../schema/typedefs.ts';
import type { Store } from '../store/store.ts';
import { type AdminContext, type Endpoint, segment } from './admin-context.ts';
import { pageAnswer, pageQuery } from './list.ts';
import { refuseInvalidName } from './rows.ts';

interface Tagged {
  readonly entity_name: string;
  readonly entity_id: string;
  readonly tag: string;
}

/** `GET /tags` and `GET /tags/{tag}`: who carries which tag. */
export function tagEndpoints(store: Store): Endpoint[] {
  const list = (context: AdminContext, path: string, tag: string | null) => {
    const { size, offset } = pageQuery(context);
    const after = offset === undefined ? '' : decodeMark(offset);
    const found = [...tagged(store, tag)].filter(one => markOf(one) > after).sort((a, b) => (markOf(a) < markOf(b) ? -1 : 1));
    const page = found.slice(0, size);
    const last = page.at(-1);
    return pageAnswer(context, path, page, last && found.length > size ? encodeMark(last) : null);
  };
  return [
    { path: '/tags', methods: { GET: context => list(context, '/tags', null) } },
    {
      path: '/tags/:tags',
      methods: {
        GET: context => {
          const tag = segment(context, 'tags');
          refuseInvalidName(tagField, tag, 'tag');
          return list(context, `/tags/${encodeURIComponent(tag)}`, tag);
        },
      },
    },
  ];
}

function* tagged(store: Store, wanted: string | null): Iterable<Tagged> {
  for (const entity of store.entities.values()) {
    for (const row of store.all(entity)) {
      for (const tag of row.tags ?? []) {
        if (wanted === null || tag === wanted) yield { entity_name: entity.name, entity_id: row.id, tag };
      }
    }
  }
}

const markOf = ({ entity_name, entity_id, tag }: Tagged) => JSON.stringify([entity_name, entity_id, tag]);
const encodeMark = (last: Tagged) => Buffer.from(markOf(last)).toString('base64url');

function decodeMark(offset: string): string {
  const mark = Buffer.from(offset, 'base64url').toString();
  if (!Array.isArray(parseJson(mark))) throw new EntityError('invalid offset', `'${offset}' is not a valid offset: bad base64 encoding`);
  return mark;
}
