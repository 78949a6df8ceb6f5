import type { ColumnName, Layout, Need } from './columns.js';
import { isJunkJudgment } from './judgment.js';
import type { RawRow } from './source.js';
import { typeName } from './problem.js';
import type { AnyRow, CompletionRow, ConversationRow, JudgedRow, LabelledRow, Message, PreferenceRow, PromptRow, RowKind } from './rows.js';
import { asMessages, asPrompt, asResponse, asTranscript, RowFault } from './turns.js';

interface Context {
  readonly record: RawRow;
  readonly layout: Layout;
  readonly hh: boolean;
}

interface Reader {
  needs(layout: Layout): readonly Need[];
  read(record: Context): AnyRow;
}

/** One reader per kind of row. */
export const readers: Record<RowKind, Reader> = {
  conversation: { needs: (layout) => (has(layout, 'messages') ? [] : completionNeeds('messages, or prompt and completion')), read: readConversation },
  prompt: { needs: () => [need('prompt', 'prompt')], read: readPrompt },
  completion: { needs: (layout) => (has(layout, 'messages') ? [] : completionNeeds('prompt and completion, or messages')), read: readCompletion },
  judged: {
    needs: () => {
      const wanted = 'prompt, completion, and judgment or satisfied';
      return [...completionNeeds(wanted), { anyOf: ['judgment', 'satisfied'], wanted }];
    },
    read: readJudged,
  },
  preference: { needs: () => ['chosen' as const, 'rejected' as const].map((name) => need(name, 'prompt, chosen and rejected')), read: readPreference },
  labelled: { needs: () => [...completionNeeds('prompt, completion and label'), need('label', 'prompt, completion and label')], read: readLabelled },
};

function need(column: ColumnName, wanted: string): Need {
  return { anyOf: [column], wanted };
}

function completionNeeds(wanted: string): Need[] {
  return [need('prompt', wanted), need('completion', wanted)];
}

function has(layout: Layout, column: ColumnName): boolean {
  return layout.names[column] !== undefined;
}

/** The name used in messages: the file's, since that is what the user can look up. */
function nameOf({ layout }: Context, column: ColumnName): string {
  return layout.names[column] ?? column;
}

function value({ record, layout }: Context, column: ColumnName): unknown {
  const name = layout.names[column];
  if (name === undefined || !Object.hasOwn(record.fields, name)) return undefined;
  return record.fields[name];
}

/** A cell of CSV that holds JSON turns or scores stands for these. */
function structured(row: Context, column: ColumnName): unknown {
  const cell = value(row, column);
  if (row.record.untyped !== true || typeof cell !== 'string' || !/^\s*(\[\{|\{")/.test(cell)) return cell;
  try {
    return JSON.parse(cell) as unknown;
  } catch {
    return cell;
  }
}

function common(row: Context): Pick<AnyRow, 'source' | 'id'> {
  const id = value(row, 'id');
  const { source } = row.record;
  return typeof id === 'string' || typeof id === 'number' ? { source, id: String(id) } : { source };
}

function promptOf(row: Context): Message[] {
  const name = nameOf(row, 'prompt');
  const given = structured(row, 'prompt');
  const input = value(row, 'input');
  if (input === undefined || input === null || input === '') return asPrompt(name, given, row.hh);
  if (typeof input !== 'string') throw new RowFault(nameOf(row, 'input'), `is ${typeName(input)}, not text`, input);
  if (typeof given !== 'string') throw new RowFault(name, `is ${typeName(given)}; with an input it must be text`, given);
  // Alpaca's rule, which CUT's authors follow: the input goes on the line below the instruction.
  return asPrompt(name, `${given}\n${input}`, row.hh);
}

function completionOf(row: Context): { prompt: Message[]; completion: string } {
  if (!has(row.layout, 'messages') || has(row.layout, 'completion')) {
    return { prompt: promptOf(row), completion: asResponse(nameOf(row, 'completion'), structured(row, 'completion')) };
  }
  const turns = messagesOf(row);
  const name = nameOf(row, 'messages');
  return { prompt: asPrompt(name, turns.slice(0, -1), row.hh), completion: asResponse(name, turns.slice(-1)) };
}

function messagesOf(row: Context): Message[] {
  const name = nameOf(row, 'messages');
  const given = structured(row, 'messages');
  if (!Array.isArray(given)) throw new RowFault(name, given === undefined ? 'is missing' : `is ${typeName(given)}, not a list of turns`, given);
  return asMessages(name, given);
}

function readConversation(row: Context): ConversationRow {
  if (!has(row.layout, 'messages')) {
    const { prompt, completion } = completionOf(row);
    return { ...common(row), messages: [...prompt, { role: 'assistant', content: completion }] };
  }
  const messages = messagesOf(row);
  const name = nameOf(row, 'messages');
  if (!messages.some(({ role }) => role === 'assistant')) throw new RowFault(name, 'has no assistant turn to learn', messages);
  if (messages.some(({ role, content }) => role === 'assistant' && content.trim() === '')) throw new RowFault(name, 'has an empty assistant turn', messages, true);
  return { ...common(row), messages };
}

function readPrompt(row: Context): PromptRow {
  const used = new Set([row.layout.names.prompt, row.layout.names.input, row.layout.names.id]);
  const extra = Object.fromEntries(Object.entries(row.record.fields).filter(([name]) => !used.has(name)));
  return { ...common(row), prompt: promptOf(row), extra };
}

function readCompletion(row: Context): CompletionRow {
  const scores = scoresOf(row);
  return { ...common(row), ...completionOf(row), ...(scores === undefined ? {} : { scores }) };
}

function readJudged(row: Context): JudgedRow {
  const plain = readCompletion(row);
  const given = value(row, 'judgment');
  const name = nameOf(row, 'judgment');
  if (given !== undefined && given !== null && typeof given !== 'string') throw new RowFault(name, `is ${typeName(given)}, not text or null`, given);
  if (typeof given === 'string' && isJunkJudgment(given)) throw new RowFault(name, 'is no judgment', given, true);
  const said = booleanOf(row, 'satisfied');
  const score = row.layout.alpaca ? numberOf(row, 'score') : undefined;
  if (said === undefined && given === undefined && score === undefined) throw new RowFault(name, 'is missing (null says the response was satisfactory)', given);
  const satisfied = said ?? ((score !== undefined && score >= 7) || (given ?? null) === null);
  if (!satisfied && (given ?? null) === null) throw new RowFault(name, 'is missing though the row is not satisfied: what is wrong with the response?', given);
  return { ...plain, judgment: given ?? null, satisfied };
}

function readPreference(row: Context): PreferenceRow {
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
  const soft_label = numberOf(row, 'soft_label');
  if (soft_label !== undefined && (soft_label < 0 || soft_label > 1)) throw new RowFault(nameOf(row, 'soft_label'), 'is not a probability from 0 to 1', soft_label);
  const margin = numberOf(row, 'margin');
  return {
    ...common(row),
    prompt,
    chosen: asResponse(nameOf(row, 'chosen'), withoutPrompt(chosen, prompt)),
    rejected: asResponse(nameOf(row, 'rejected'), withoutPrompt(rejected, prompt)),
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

function readLabelled(row: Context): LabelledRow {
  const plain = readCompletion(row);
  const label = booleanOf(row, 'label');
  if (label === undefined) throw new RowFault(nameOf(row, 'label'), 'is missing', undefined);
  return { ...plain, label };
}

function booleanOf(row: Context, column: ColumnName): boolean | undefined {
  const given = value(row, column);
  if (given === undefined || given === null) return undefined;
  if (typeof given === 'boolean') return given;
  if (row.record.untyped === true && typeof given === 'string') {
    const word = given.trim().toLowerCase();
    if (word === 'true' || word === '1') return true;
    if (word === 'false' || word === '0') return false;
  }
  throw new RowFault(nameOf(row, column), `is ${typeName(given)}, not true or false`, given);
}

function numberOf(row: Context, column: ColumnName): number | undefined {
  const given = value(row, column);
  if (given === undefined || given === null) return undefined;
  const number = row.record.untyped === true && typeof given === 'string' && given.trim() !== '' ? Number(given) : given;
  if (typeof number !== 'number' || !Number.isFinite(number)) throw new RowFault(nameOf(row, column), `is ${typeName(given)}, not a finite number`, given);
  return number;
}

function scoresOf(row: Context): Record<string, number> | undefined {
  const given = structured(row, 'scores');
  if (given === undefined || given === null) return undefined;
  const name = nameOf(row, 'scores');
  if (typeof given !== 'object' || Array.isArray(given)) throw new RowFault(name, `is ${typeName(given)}, not an object of numbers`, given);
  for (const [what, number] of Object.entries(given)) {
    if (typeof number !== 'number' || !Number.isFinite(number)) throw new RowFault(name, `has ${what} that is ${typeName(number)}, not a finite number`, given);
  }
  return given as Record<string, number>;
}
