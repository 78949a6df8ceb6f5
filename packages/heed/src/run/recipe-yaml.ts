/** YAML text → plain values, with the line of every key. Files that are too deep for a recipe are refused. */
import { LineCounter, isAlias, isMap, isScalar, isSeq, parseDocument } from 'yaml';
import type { Node } from 'yaml';

import { UserError } from '../errors.js';

/** Keys from the outside in. */
export type KeyPath = readonly PropertyKey[];

/** A parsed recipe. */
export interface YamlDocument {
  readonly value: Record<string, unknown>;
  /** `file:line` of the key at `path`, or of the nearest enclosing one that exists. */
  readonly where: (path: KeyPath) => string;
}

/** A recipe needs four levels; the limit keeps the recursive composer far from the end of its stack. */
const MAX_DEPTH = 64;
const MAX_ALIASES = 20;

/** The deepest run of open brackets or of indentation that the text could have; an upper bound that needs no parser. */
function tooDeep(text: string): boolean {
  let open = 0;
  for (const char of text) {
    if (char === '[' || char === '{') open++;
    else if ((char === ']' || char === '}') && open > 0) open--;
    if (open > MAX_DEPTH) return true;
  }
  // `- - - - x`, `? ? ? x` and `a: b: c` nest on one line too.
  return /(?:[-?:][ \t]+){64}/.test(text) || /^ {512}/m.test(text);
}

function plain(text: string, name: string, counter: LineCounter): { value: unknown; contents: Node | null } {
  if (tooDeep(text)) throw new UserError(`${name} is nested more than ${MAX_DEPTH} deep`);
  const at = (offset: number): string => `${name}:${counter.linePos(offset).line || 1}`;
  const document = parseDocument(text, { lineCounter: counter, prettyErrors: false, uniqueKeys: true, schema: 'core', logLevel: 'silent' });
  const problems = [...document.errors, ...document.warnings].map(({ pos, message, code }) => {
    if (code !== 'DUPLICATE_KEY') return `${at(pos[0])}: ${message}`;
    const key = /^[^\s:]+/.exec(text.slice(pos[0]))?.[0] ?? '';
    return `${at(pos[0])}: the key "${key}" is given twice`;
  });
  if (problems.length > 0) throw new UserError(problems.slice(0, 20).join('\n'));
  try {
    return { value: document.toJS({ maxAliasCount: MAX_ALIASES }) as unknown, contents: document.contents };
  } catch (error) {
    throw new UserError(`${name}: ${error instanceof Error ? error.message : String(error)}`, ['Write the repeated part out.']);
  }
}

/** Reads one YAML value, such as the right side of an override. */
export function parseYamlValue(text: string, name: string): unknown {
  return plain(text, name, new LineCounter()).value;
}

/** Reads a recipe. An empty file is an empty recipe. */
export function parseYaml(text: string, name: string): YamlDocument {
  const counter = new LineCounter();
  const { value, contents } = plain(text.replace(/^\uFEFF/, ''), name, counter);
  if (value !== null && value !== undefined && (typeof value !== 'object' || Array.isArray(value))) {
    const given = Array.isArray(value) ? 'a list' : JSON.stringify(value);
    throw new UserError(`${name}:1: a recipe consists of "key: value" lines; this file holds ${given}`);
  }
  return {
    value: (value ?? {}) as Record<string, unknown>,
    where(path) {
      let node: unknown = contents;
      let offset = 0;
      for (const key of path) {
        if (isAlias(node)) break;
        if (isMap(node)) {
          const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(key));
          if (!pair) break;
          offset = (pair.key as Node).range?.[0] ?? offset;
          node = pair.value;
        } else if (isSeq(node)) {
          node = node.items[Number(key)];
          if (!node) break;
          offset = (node as Node).range?.[0] ?? offset;
        } else break;
      }
      return `${name}:${counter.linePos(offset).line || 1}`;
    },
  };
}
