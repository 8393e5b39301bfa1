/** What stands in the place of a secret. */
export const REDACTED = '[redacted]';

const SECRET_NAME = /(?:^|[-_.])(?:authorization|cookie|api[-_]?key|token|secret|password|credentials?|header_value|param_value)$/i;

/** Secrets that give themselves away by their shape, each with what to keep of the text around them. */
const SECRET_TEXT: readonly (readonly [RegExp, string])[] = [
  [/\b(Bearer|Basic) (?=[^\s"']*[\d=])[^\s"',;]+/gi, `$1 ${REDACTED}`],
  [/\bsk-[\w-]{8,}/g, REDACTED],
  [/(:\/\/)[^\s/@"']+@/g, `$1${REDACTED}@`],
  [/([?&](?:key|api[-_]?key|token|access_token|sig|signature|password|secret)=)[^&\s"']+/gi, `$1${REDACTED}`],
];

/** Text for a log, an error or a terminal, its secrets taken out. */
export function redactText(text: string): string {
  return SECRET_TEXT.reduce((clean, [secret, kept]) => clean.replace(secret, kept), text);
}

/** Text without these very secrets. */
export const withoutSecrets = (text: string, secrets: readonly string[]): string =>
  secrets.reduce((rest, secret) => rest.replaceAll(secret, REDACTED), text);

/** The same for whatever JSON can say: members with a secret's name are hidden whole, every text in it is cleaned. */
export function redact(value: unknown, name = ''): unknown {
  if (value === null || value === undefined) return value;
  if (SECRET_NAME.test(name)) return REDACTED;
  if (typeof value === 'string') return redactText(value);
  if (value instanceof Error) return redactText(value.stack ?? value.message);
  if (Array.isArray(value)) return value.map(member => redact(member));
  if (typeof value === 'object') return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, redact(member, key)]));
  return value;
}
