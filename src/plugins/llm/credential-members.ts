import { isObject } from '../../lib/json.ts';
import { setMembers } from '../../lib/json-members.ts';
import { readBodyFields } from '../authentication/body-fields.ts';
import type { ExchangeContext } from './exchange-context.ts';

type Within = Pick<ExchangeContext, 'request' | 'body' | 'credentialPlaces'>;

/** Whether a plugin takes credentials of clients from bodies. */
export const mayHoldCredentials = ({ credentialPlaces: places }: Pick<Within, 'credentialPlaces'>): boolean =>
  places.some(({ members }) => members.length > 0);

/** The gateway's credentials in a body, JSON or a form, are for no model, and for no log of what a model was asked. */
export async function dropCredentials(context: Within, limit: number): Promise<void> {
  const { request, body, credentialPlaces } = context;
  const names = credentialPlaces.flatMap(({ members }) => members);
  if (/^(?:multipart\/form-data|application\/x-www-form-urlencoded)\b/i.test(request.headers.get('content-type') ?? '')) {
    for (const name of names) (await readBodyFields(context)).remove(name);
    return;
  }
  const content = await body.json(limit);
  if (!isObject(content)) return;
  const held = names.filter(name => Object.hasOwn(content, name));
  if (held.length === 0) return;
  body.replace(setMembers(await body.text(limit), Object.fromEntries(held.map(name => [name, undefined]))));
}
