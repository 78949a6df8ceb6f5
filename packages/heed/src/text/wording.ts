import type { Message } from './template.js';

/**
 * The same messages with the last user turn rewritten: `wording` with `{instruction}`, the turn as it was, and other `{name}`s put in
 * their places. What the values hold is not read again, so a prompt may contain braces.
 *
 * @param messages Ends with the user turn to rewrite.
 * @param what What the wording is for, in messages: "judgment", "refinement".
 * @param wording The user turn, with each placeholder at least once.
 * @param values Texts for the places other than `{instruction}`; no text is empty.
 * @throws on an unknown or missing placeholder, an empty value, or messages without a last user turn.
 */
export function rewriteInstruction(
  messages: readonly Message[],
  what: string,
  wording: string,
  values: Readonly<Record<string, string>> = {},
): Message[] {
  const last = messages.at(-1);
  if (last?.role !== 'user') throw new Error(`A ${what} prompt ends with a user turn; this one ends with ${last?.role ?? 'nothing'}.`);
  const empty = Object.keys(values).find((name) => values[name]!.trim() === '');
  if (empty !== undefined) throw new Error(`The ${empty} is empty: a ${what} prompt needs one.`);
  const all: Readonly<Record<string, string>> = { instruction: last.content, ...values };
  const fault = wordingFault(wording, Object.keys(all));
  if (fault !== undefined) throw new Error(`The ${what} wording ${fault}: ${JSON.stringify(wording)}.`);
  return [...messages.slice(0, -1), { ...last, content: wording.replace(PLACE, (_, name: string) => all[name]!) }];
}

/** What is wrong with a wording that must hold each of these placeholders and no other, else undefined. */
export function wordingFault(wording: string, names: readonly string[]): string | undefined {
  const found = [...wording.matchAll(PLACE)].map(([, name]) => name!);
  const missing = names.find((name) => !found.includes(name));
  if (missing !== undefined) return `lacks {${missing}}`;
  const unknown = found.find((name) => !names.includes(name));
  return unknown === undefined
    ? undefined
    : `has the unknown placeholder {${unknown}}; known: ${names.map((name) => `{${name}}`).join(', ')}`;
}

const PLACE = /\{([A-Za-z_]\w*)\}/g;
