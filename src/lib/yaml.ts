import { type Document, isAlias, isMap, isNode, isSeq, LineCounter, type Node, parseDocument, stringify } from '@std/yaml';

/** What aliases may expand to before a file counts as an attack. */
const MAXIMUM_ALIASES = 10_000;

export interface ParsedYaml {
  readonly value: unknown;
  /** `FILE:LINE` of the value at a path, or of the nearest thing around it that the file has. */
  where(path: readonly (string | number)[]): string;
}

/**
 * Reads one YAML document, or JSON, which is YAML too. `name` is the file's name for messages.
 * Throws an Error `FILE:LINE:COLUMN: message` for bad syntax, duplicate keys and unknown tags, `FILE: message` for runaway aliases.
 */
export function parseYaml(text: string, name: string): ParsedYaml {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, merge: true, logLevel: 'error' });
  const problem = document.errors[0] ?? document.warnings[0];
  if (problem) {
    const { line, col } = lines.linePos(problem.pos[0]);
    throw new Error(`${name}:${line}:${col}: ${oneLine(problem.message)}`);
  }
  return {
    value: expand(document, name),
    where: path => `${name}:${lines.linePos(offset(document, path)).line}`,
  };
}

export const toYaml = (value: unknown): string => stringify(value, { compat: 'yaml-1.1', lineWidth: 0, aliasDuplicateObjects: false });

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

const start = (node: unknown): number | undefined => (isNode(node) ? (node as Node).range?.[0] : undefined);
