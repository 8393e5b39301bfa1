import type { Document, LineCounter, Node } from '@std/yaml';
import { parseQuickly } from './quick-yaml.ts';

/** Loaded with the first text: a gateway may have none. */
const loadYaml = (): typeof import('@std/yaml') => require('@std/yaml');

/** What aliases may expand to before a file counts as an attack. */
const MAXIMUM_ALIASES = 10_000;

export interface ParsedYaml {
  readonly value: unknown;
  /** `FILE:LINE` of the value at a path, or of the nearest thing around it that the file has. */
  where(path: readonly (string | number)[]): string;
}

/** What a string of the document is to say instead. Throws an Error that says why it cannot. */
export type Replace = (text: string) => string;

/**
 * Reads one YAML document, or JSON, which is YAML too. `name` is the file's name for messages.
 * Throws an Error `FILE:LINE:COLUMN: message` for bad syntax, duplicate keys and unknown tags, `FILE: message` for runaway
 * aliases, `FILE:LINE: message`, a line each, for strings that `replace` refuses.
 */
export function parseYaml(text: string, name: string, replace?: Replace): ParsedYaml {
  const quick = replace === undefined ? parseQuickly(text) : undefined;
  let positioned: Positioned | undefined;
  // Most files have nothing wrong with them, and then nobody asks where.
  const parsed = () => {
    positioned ??= parse(text, name);
    return positioned;
  };
  if (replace !== undefined) replaceStrings(parsed(), name, replace);
  const value = quick === undefined ? expand(parsed().document, name) : quick.value;
  return { value, where: path => `${name}:${parsed().lines.linePos(offset(parsed().document, path)).line}` };
}

export const toYaml = (value: unknown): string =>
  loadYaml().stringify(value, { compat: 'yaml-1.1', lineWidth: 0, aliasDuplicateObjects: false });

interface Positioned {
  readonly document: Document;
  readonly lines: LineCounter;
}

function parse(text: string, name: string): Positioned {
  const { LineCounter, parseDocument } = loadYaml();
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, merge: true, logLevel: 'error' });
  const problem = document.errors[0] ?? document.warnings[0];
  if (!problem) return { document, lines };
  const { line, col } = lines.linePos(problem.pos[0]);
  throw new Error(`${name}:${line}:${col}: ${oneLine(problem.message)}`);
}

function replaceStrings({ document, lines }: Positioned, name: string, replace: Replace): void {
  const problems: string[] = [];
  loadYaml().visit(document, {
    Scalar: (_key, node) => {
      if (typeof node.value !== 'string') return;
      try {
        const text = replace(node.value);
        if (text !== node.value) node.value = node.type === 'PLAIN' ? plainValue(text) : text;
      } catch (error) {
        problems.push(`${name}:${lines.linePos(start(node) ?? 0).line}: ${(error as Error).message}`);
      }
    },
  });
  if (problems.length > 0) throw new Error(problems.join('\n'));
}

/** What a text without quotes says: a number, a boolean, nothing, or itself. */
function plainValue(text: string): unknown {
  const value: unknown = /^[\w.+-]*$/.test(text) ? loadYaml().parseDocument(text).toJS() : text;
  return value === null || typeof value === 'number' || typeof value === 'boolean' ? value : text;
}

function expand(document: Document, name: string): unknown {
  try {
    return document.toJS({ maxAliasCount: MAXIMUM_ALIASES });
  } catch (error) {
    throw new Error(`${name}: ${oneLine((error as Error).message)}`);
  }
}

const oneLine = (message: string) => message.replace(/;? please use .*$/, '').replaceAll(/\s*\n\s*/g, ' ');

/** Where in the text the value begins: at its key, when it has one. */
function offset(document: Document, path: readonly (string | number)[]): number {
  const { isAlias, isMap, isNode, isSeq } = loadYaml();
  let node: unknown = document.contents;
  let found = start(node) ?? 0;
  for (const step of path) {
    if (isAlias(node)) node = node.resolve(document);
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => String(isNode(key) ? key.toJSON() : key) === String(step));
      if (!pair) return found;
      found = start(pair.key) ?? found;
      node = pair.value;
    } else if (isSeq(node)) {
      node = node.items[Number(step)];
      found = start(node) ?? found;
    } else {
      return found;
    }
  }
  return found;
}

const start = (node: unknown): number | undefined => (loadYaml().isNode(node) ? (node as Node).range?.[0] : undefined);
