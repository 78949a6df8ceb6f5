import { agreedScore } from './agreed-score.js';
import { wayOf } from './columns.js';
import { common, type Context, listOf, nameOf, numberOf, promptOf, structured, textsOf, value } from './row-cells.js';
import { typeName } from './problem.js';
import { type Message, type NegativeRow, type PreferenceRow, type PrincipledRow, type ScoredPrinciple, sameText } from './rows.js';
import { asMessages, asPrompt, asResponse, asTranscript, RowFault } from './turns.js';

export function readPreference(row: Context): PreferenceRow {
  // What can only be a mistake is looked for before what may be junk, so that skipping junk never hides it.
  const soft_label = numberOf(row, 'soft_label');
  if (soft_label !== undefined && (soft_label < 0 || soft_label > 1)) throw new RowFault(nameOf(row, 'soft_label'), 'is not a probability from 0 to 1', soft_label);
  const margin = numberOf(row, 'margin');
  const [chosen, rejected] = [sideOf(row, 'chosen'), sideOf(row, 'rejected')];
  let prompt: Message[];
  if (value(row, 'prompt') !== undefined) {
    prompt = promptOf(row);
  } else {
    if (typeof chosen === 'string' || typeof rejected === 'string') {
      throw new RowFault(nameOf(row, 'prompt'), 'is missing; without it chosen and rejected must be lists of turns', undefined);
    }
    let shared = 0;
    while (shared < chosen.length - 1 && shared < rejected.length - 1 && same(chosen[shared], rejected[shared])) shared++;
    prompt = asPrompt(nameOf(row, 'chosen'), chosen.slice(0, shared), false);
  }
  const pair = {
    chosen: asResponse(nameOf(row, 'chosen'), withoutPrompt(chosen, prompt)),
    rejected: asResponse(nameOf(row, 'rejected'), withoutPrompt(rejected, prompt)),
  };
  mustDiffer(nameOf(row, 'chosen'), nameOf(row, 'rejected'), pair.chosen, pair.rejected);
  return {
    ...common(row),
    prompt,
    ...pair,
    ...(soft_label === undefined ? {} : { soft_label }),
    ...(margin === undefined ? {} : { margin }),
  };
}

/** `chosen` or `rejected`: text, or turns (HH transcripts become turns where there is no prompt column). */
function sideOf(row: Context, column: 'chosen' | 'rejected'): string | Message[] {
  const name = nameOf(row, column);
  const given = structured(row, column);
  if (Array.isArray(given)) return asMessages(name, given);
  const text = asResponse(name, given);
  return row.hh && value(row, 'prompt') === undefined ? asTranscript(name, text) : text;
}

/** Many files repeat the prompt at the head of both answers. */
function withoutPrompt(side: string | Message[], prompt: readonly Message[]): string | Message[] {
  if (typeof side === 'string' || side.length <= prompt.length) return side;
  return prompt.every((turn, index) => same(turn, side[index])) ? side.slice(prompt.length) : side;
}

function same(a: Message | undefined, b: Message | undefined): boolean {
  return a?.role === b?.role && a?.content === b?.content;
}

/** Looked for here, where the column has its name in the file, and by the methods again, for rows that come from code. */
function mustDiffer(column: string, other: string, a: string, b: string): void {
  if (sameText(a, b)) throw new RowFault(column, `equals ${other}: nothing is preferred`, a, true);
}

/** A bad response, with or without the model's own answers that are not bad. */
export function readNegative(row: Context): NegativeRow {
  const [column = 'rejected'] = wayOf([['rejected'], ['completion']], row.layout) ?? [];
  const given = structured(row, column);
  const name = nameOf(row, column);
  const prompt = promptOf(row);
  const rejected = asResponse(name, Array.isArray(given) ? withoutPrompt(asMessages(name, given), prompt) : given);
  const positives = textsOf(row, 'positives');
  for (const positive of positives ?? []) mustDiffer(nameOf(row, 'positives'), name, positive, rejected);
  return { ...common(row), prompt, rejected, ...(positives === undefined ? {} : { positives }) };
}

/** Two responses and what a judge said of them by each principle. */
export function readPrincipled(row: Context): PrincipledRow {
  const principles = principlesOf(row);
  const name = nameOf(row, 'responses');
  const responses = listOf(row, 'responses');
  if (responses === undefined) throw new RowFault(name, 'is missing', value(row, 'responses'));
  if (responses.length !== 2) throw new RowFault(name, `has ${responses.length} items; two responses are compared`, responses);
  const [first, second] = responses.map((response) => asResponse(name, response)) as [string, string];
  if (sameText(first, second)) throw new RowFault(name, 'are equal: nothing is preferred', responses, true);
  return { ...common(row), prompt: promptOf(row), responses: [first, second], principles };
}

function principlesOf(row: Context): ScoredPrinciple[] {
  const name = nameOf(row, 'principles');
  const list = listOf(row, 'principles');
  if (list === undefined) throw new RowFault(name, 'is missing', value(row, 'principles'));
  if (list.length === 0) throw new RowFault(name, 'is an empty list', list, true);
  const principles = list.map((item, index) => principleOf(name, index + 1, item));
  const names = principles.map((principle) => principle.name);
  const twice = names.find((one, index) => names.indexOf(one) !== index);
  if (twice !== undefined) throw new RowFault(name, `names ${twice} twice`, list);
  return principles;
}

function principleOf(column: string, place: number, item: unknown): ScoredPrinciple {
  const where = `item ${place}`;
  if (typeof item !== 'object' || item === null || Array.isArray(item)) throw new RowFault(column, `${where} is ${typeName(item)}, not an object`, item);
  const { name, text, negation, score, scores } = item as Record<string, unknown>;
  const words = Object.entries({ name, text, negation }).map(([key, word]): [string, string] => {
    if (typeof word !== 'string' || word.trim() === '') throw new RowFault(column, `${where} has a ${key} that is ${typeof word === 'string' ? 'empty' : typeName(word)}`, item);
    return [key, word];
  });
  if (words[1]?.[1].trim() === words[2]?.[1].trim()) throw new RowFault(column, `${where} has a negation that equals its text`, item);
  const both = (scores ?? null) === null ? undefined : bothOrders(column, where, scores);
  if (both === undefined && (score ?? null) === null) throw new RowFault(column, `${where} has neither score nor scores`, item);
  if ((score ?? null) !== null && (typeof score !== 'number' || !Number.isFinite(score))) throw new RowFault(column, `${where} has a score that is ${typeName(score)}, not a finite number`, item);
  return {
    ...(Object.fromEntries(words) as Record<'name' | 'text' | 'negation', string>),
    score: typeof score === 'number' ? score : agreedScore(both ?? [0, 0]),
    ...(both === undefined ? {} : { scores: both }),
  };
}

function bothOrders(column: string, where: string, scores: unknown): [number, number] {
  if (!Array.isArray(scores) || scores.length !== 2 || !scores.every((one) => Number.isFinite(one))) {
    throw new RowFault(column, `${where} has scores that are not two finite numbers`, scores);
  }
  return [scores[0] as number, scores[1] as number];
}
