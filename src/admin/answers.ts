import type { Entity, Row } from '../entities/entity.ts';
import type { PageQuery, Store } from '../store/store.ts';
import { type AdminContext, notFound } from './admin-context.ts';
import { readBody } from './body.ts';
import { pageAnswer, pageQuery } from './list.ts';
import type { Resource } from './resource.ts';
import type { Fields } from './rows.ts';
import type { Writer } from './writer.ts';

/** Tells the audit log what a write was about. */
export const about = (context: AdminContext, { name }: Entity, row: Row | null): void =>
  context.set('subject', { entity: name, id: row?.id ?? null });

export function answerPage(
  context: AdminContext,
  store: Store,
  { entity, show }: Resource,
  path: string,
  where?: PageQuery['where'],
): Response {
  const page = store.page(entity, { ...pageQuery(context), ...(where && { where }) });
  return pageAnswer(context, path, page.rows.map(show), page.offset);
}

export const answerRow = (context: AdminContext, { show }: Resource, row: Row | undefined): Response =>
  row ? context.json(show(row)) : notFound(context);

/** `fixed` is what the path says of the row; null: it leads nowhere. */
export async function answerPost(context: AdminContext, writer: Writer, resource: Resource, fixed: Fields | null = {}): Promise<Response> {
  about(context, resource.entity, null);
  const body = await readBody(context.req.raw);
  if (fixed === null) return notFound(context);
  const row = await writer.insert(resource, body, fixed);
  about(context, resource.entity, row);
  return context.json(resource.show(row), 201);
}

export async function answerPut(
  context: AdminContext,
  writer: Writer,
  resource: Resource,
  key: string,
  fixed: Fields | null = {},
): Promise<Response> {
  about(context, resource.entity, null);
  const body = await readBody(context.req.raw);
  if (fixed === null) return notFound(context);
  const row = await writer.upsert(resource, key, body, fixed);
  about(context, resource.entity, row);
  return context.json(resource.show(row));
}

/** `key` is null when the path leads nowhere. `fixed` is what the path says of the row, unless the body says otherwise. */
export async function answerPatch(
  context: AdminContext,
  writer: Writer,
  resource: Resource,
  key: string | null,
  fixed: Fields = {},
): Promise<Response> {
  about(context, resource.entity, null);
  const body = await readBody(context.req.raw);
  const row = key === null ? undefined : await writer.update(resource, key, body, fixed);
  if (row) about(context, resource.entity, row);
  return answerRow(context, resource, row);
}

export async function answerDelete(context: AdminContext, writer: Writer, resource: Resource, key: string | null): Promise<Response> {
  about(context, resource.entity, null);
  if (key === null) return notFound(context);
  about(context, resource.entity, await writer.remove(resource, key));
  return context.body(null, 204);
}
