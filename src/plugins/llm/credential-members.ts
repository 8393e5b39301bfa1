import { isObject } from '../../lib/json.ts';
import { setMembers } from '../../lib/json-members.ts';
import type { Context } from '../context.ts';

type Within = Pick<Context, 'body' | 'credentialPlaces'>;

/** Whether a plugin takes credentials of clients from bodies. */
export const mayHoldCredentials = ({ credentialPlaces: places }: Within): boolean => places.some(({ members }) => members.length > 0);

/** The gateway's credentials in a JSON body are for no model, and for no log of what a model was asked. */
export async function dropCredentials({ body, credentialPlaces }: Within, limit: number): Promise<void> {
  const content = await body.json(limit);
  if (!isObject(content)) return;
  const names = credentialPlaces.flatMap(({ members }) => members).filter(name => Object.hasOwn(content, name));
  if (names.length === 0) return;
  body.replace(setMembers(await body.text(limit), Object.fromEntries(names.map(name => [name, undefined]))));
}
