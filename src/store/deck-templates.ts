import type { Replace } from '../lib/yaml.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

// A place that decK fills from the environment before it reads the file, so that quotes within quotes are no quotes:
// `key: "${{ env "DECK_KEY" }}"`. developer.konghq.com/deck/reference/variables/
const TEMPLATE = /\$\{\{-?\s*(env\s[^\n]*?)\s*-?\}\}/g;
const UNENDED = /\$\{\{-?\s*env\s/;
const ACTION = /^env\s+\\?["`](?<name>[^"`\\]*)\\?["`](?<pipes>(?:\s*\|\s*\w+(?:\s+\d+)?)*)$/;

/**
 * The text with marks where its templates were, and what puts values in the place of marks once the text is parsed: so no
 * value can be more than a part of the string it stands in. Null for the environment: then templates are refused.
 */
export function markTemplates(text: string, environment: Environment | null): { readonly text: string; readonly replace?: Replace } {
  if (!UNENDED.test(text)) return { text };
  const mark = unusedCharacter(text);
  const actions: string[] = [];
  const marked = text.replace(TEMPLATE, (_, action: string) => `${mark}${actions.push(action) - 1}${mark}`);
  const marks = new RegExp(`${mark}(\\d+)${mark}`, 'g');
  const replace = (string: string) => {
    if (UNENDED.test(string)) throw new Error('a template has no end: }} is missing');
    return string.replace(marks, (_, index: string) => variable(actions[Number(index)] ?? '', environment));
  };
  return { text: marked, replace };
}

/** One of those that Unicode leaves to programs. */
function unusedCharacter(text: string): string {
  for (let code = 0xe000; ; code++) {
    const character = String.fromCharCode(code);
    if (!text.includes(character)) return character;
  }
}

function variable(action: string, environment: Environment | null): string {
  const { name, pipes = '' } = ACTION.exec(action)?.groups ?? {};
  if (name === undefined) throw new Error(`not a template of decK: \${{ ${action} }}`);
  if (!name.startsWith('DECK_')) throw new Error(`the name of an environment variable must begin with DECK_, not '${name}'`);
  if (environment === null) {
    throw new Error(`environment variable '${name}' is only read for files: write the value, or {vault://env/NAME} in place of all of it`);
  }
  const value = environment[name];
  if (value === undefined) throw new Error(`environment variable '${name}' is not set`);
  const words = pipes.split('|').map(pipe => pipe.trim().split(/\s+/, 1)[0] ?? '');
  return words.filter(word => word !== '').reduce((current, word) => converted(name, current, word), value);
}

const CONVERSIONS: Readonly<Record<string, (value: string) => string | undefined>> = {
  toInt: value => (/^[+-]?\d+$/.test(value) ? String(Number(value)) : undefined),
  toFloat: value => (value.trim() !== '' && Number.isFinite(Number(value)) ? String(Number(value)) : undefined),
  toBool: value => (/^(?:1|t|true)$/i.test(value) ? 'true' : /^(?:0|f|false)$/i.test(value) ? 'false' : undefined),
  // It keeps lines within a block of YAML, which they are already.
  indent: value => value,
};

function converted(name: string, value: string, word: string): string {
  const conversion = Object.hasOwn(CONVERSIONS, word) ? CONVERSIONS[word] : undefined;
  if (!conversion) throw new Error(`templates have no '${word}', only ${Object.keys(CONVERSIONS).join(', ')}`);
  const result = conversion(value);
  if (result === undefined) throw new Error(`environment variable '${name}' does not suit ${word}`);
  return result;
}
