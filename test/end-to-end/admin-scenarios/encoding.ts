import type { Scenario, Step } from './scenario.ts';

export interface Encoded {
  readonly body: string;
  readonly type: string;
}

/** How the bodies of a scenario may travel. */
export const ENCODINGS = { json: asJson, form: asForm, multipart: asMultipart } as const;
export type Encoding = keyof typeof ENCODINGS;

/** The encodings in which every body of the scenario can be said; forms only where they say something else than JSON does. */
export function encodingsOf({ jsonOnly, steps }: Scenario): Encoding[] {
  const bodies = steps.map(bodyOf).filter(body => body !== null);
  return jsonOnly || bodies.length === 0 || !bodies.every(sayable) ? ['json'] : ['json', 'form', 'multipart'];
}

const bodyOf = ({ body }: Step) => (typeof body === 'object' ? body : null);

/** A form has no word for an empty list, an empty object or empty text. */
function sayable(value: unknown): boolean {
  if (value === '') return false;
  if (typeof value !== 'object' || value === null) return true;
  const members = Object.values(value);
  return members.length > 0 && members.every(sayable);
}

function asJson(body: object): Encoded {
  return { body: JSON.stringify(body), type: 'application/json' };
}

function asForm(body: object): Encoded {
  return { body: new URLSearchParams(pairsOf(body)).toString(), type: 'application/x-www-form-urlencoded' };
}

function asMultipart(body: object): Encoded {
  const parts = pairsOf(body).map(([name, value]) => `--part\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`);
  return { body: `${parts.join('')}--part--\r\n`, type: 'multipart/form-data; boundary=part' };
}

/** `config.auth.header_name=…`, `hosts[1]=…`, and nothing after the `=` for null. */
function pairsOf(value: unknown, path = ''): [string, string][] {
  if (typeof value !== 'object' || value === null) return [[path, value === null ? '' : String(value)]];
  if (Array.isArray(value)) return value.flatMap((member, index) => pairsOf(member, `${path}[${index + 1}]`));
  return Object.entries(value).flatMap(([name, member]) => pairsOf(member, path === '' ? name : `${path}.${name}`));
}
