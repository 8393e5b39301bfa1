import type { Field } from './field.ts';

/** What the gateway fills a field with that is `auto`: an id, a random key, or the time, in seconds, as exact as the field can say it. */
export function automaticValue({ type, facts }: Field): string | number {
  if (type === 'string') return facts.uuid ? crypto.randomUUID() : randomKey();
  return type === 'integer' ? Math.floor(Date.now() / 1000) : Date.now() / 1000;
}

/** 32 letters and digits. Source: kong/tools/rand.lua of Kong 3.9. */
const randomKey = () => crypto.getRandomValues(Buffer.alloc(48)).toString('base64').replaceAll(/[+/]/g, '').slice(0, 32);
