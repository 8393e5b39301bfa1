import { EntityError } from '../entities/entity-error.ts';
import type { PageQuery } from '../store/store.ts';
import { invalidSize } from '../store/violations.ts';
import type { AdminContext } from './admin-context.ts';

/** Source: `TAGS_AND_REGEX` and `TAGS_OR_REGEX` of kong/api/endpoints.lua of Kong 3.9: printable, the rest of Unicode, no comma, no slash. */
const TAG = String.raw`[\x20-\x2b\x2d\x2e\x30-\x7e\x80-\u{10ffff}]+`;
const ALL_OF = new RegExp(`^${TAG}(?:,${TAG})*,?$`, 'u');
const ANY_OF = new RegExp(`^${TAG}(?:/${TAG})*/?$`, 'u');
const MOST_TAGS = 5;

/** `size`, `offset` and `tags` of the query. Throws an EntityError for what they cannot be. */
export function pageQuery(context: AdminContext, defaultSize = 100): PageQuery {
  const offset = context.req.query('offset');
  const tags = tagsOf(context.req.query('tags'));
  return { size: sizeOf(context.req.query('size')) ?? defaultSize, ...(offset !== undefined && { offset }), ...(tags && { tags }) };
}

/** A page of `data`, and the path of the next one. */
export function pageAnswer(context: AdminContext, path: string, data: readonly unknown[], offset: string | null): Response {
  if (offset === null) return context.json({ data, next: null });
  const query = new URLSearchParams({ offset });
  for (const name of ['tags', 'size']) {
    const value = context.req.query(name);
    if (value !== undefined) query.set(name, value);
  }
  return context.json({ data, next: `${path}?${query}`, offset });
}

function sizeOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const size = text.trim() === '' ? Number.NaN : Number(text);
  if (Number.isNaN(size)) throw new EntityError('invalid size', 'size must be a number');
  if (!Number.isInteger(size) || size < 1 || size > 1000) throw invalidSize();
  return size;
}

function tagsOf(text: string | undefined): PageQuery['tags'] {
  if (text === undefined) return undefined;
  const match = ALL_OF.test(text) ? 'all' : ANY_OF.test(text) ? 'any' : null;
  if (match === null) throw invalidTags('invalid filter syntax');
  const names = text.split(match === 'all' ? ',' : '/').filter(name => name !== '');
  if (names.length > MOST_TAGS) throw invalidTags(`cannot query more than ${MOST_TAGS} tags`);
  return { names, match };
}

const invalidTags = (reason: string) => new EntityError('invalid options', `invalid option (tags: ${reason})`, { tags: reason });
