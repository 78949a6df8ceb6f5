/** Reads files of prompts for a model to answer. */
import { findColumns } from '../data/columns.js';
import { parseRows } from '../data/parse.js';
import { type Problem, problemsError } from '../data/problem.js';
import { readRecords } from '../data/read.js';
import { UserError } from '../errors.js';
import type { Message, PromptRow } from '../data/rows.js';
import type { Model } from '../model/load.js';

/** Prompts in the order of the file. */
export interface Prompts {
  readonly rows: readonly PromptRow[];
  /** Each row's prompt in tokens. */
  readonly tokens: readonly (readonly number[])[];
  /** A row's prompt and a response to it, in the form of the file: text where the file has text, turns where it has turns. */
  asGiven(row: PromptRow, response: string): PromptAndCompletion;
}

/** TRL's columns, in either of their two forms. */
interface PromptAndCompletion {
  readonly prompt: string | readonly Message[];
  readonly completion: string | readonly Message[];
}

interface ReadPromptsOptions {
  /** Tokens of the context that the answer may take. */
  readonly maxNewTokens: number;
  /** Most rows to read. */
  readonly limit?: number;
}

/** The options of a recipe's data are none of a command that reads prompts alone: the way out is in the file. */
function withOwnHints<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof UserError) || !error.hints.some((hint) => hint.includes('data.'))) throw error;
    throw new UserError(error.message, [
      ...error.hints.filter((hint) => !hint.includes('data.')),
      'Change it in the file: the prompts are read from a column prompt.',
    ], { cause: error });
  }
}

/**
 * Reads the prompts of a file and makes them tokens.
 *
 * @throws UserError that lists all rows that cannot be used, or whose prompt and `maxNewTokens` are more than the model's context.
 */
export async function readPrompts(file: string, model: Model, { maxNewTokens, limit }: ReadPromptsOptions): Promise<Prompts> {
  const { template, architecture: { context }, checkpoint: { id } } = model;
  const { rows: records, broken } = await readRecords(file);
  const rows = withOwnHints(() => parseRows('prompt', records, { broken }).rows.slice(0, limit));
  const problems: Problem[] = [];
  const tokens = rows.map((row) => {
    try {
      const ids = template.prompt(row.prompt);
      if (ids.length + maxNewTokens > context) problems.push({ source: row.source, reason: `has ${ids.length} prompt tokens` });
      return ids;
    } catch (error) {
      // A template refuses a conversation that it cannot express: the row is at fault.
      problems.push({ source: row.source, reason: error instanceof Error ? error.message : String(error) });
      return [];
    }
  });
  if (problems.length > 0) {
    const room = context - Math.max(...tokens.map((ids) => ids.length));
    const unanswered = `${problems.length} of ${rows.length} prompts cannot be answered`;
    if (room >= maxNewTokens) throw problemsError(unanswered, problems, []);
    throw problemsError(
      `${unanswered} (the context of ${id} holds ${context} tokens, --max-tokens ${maxNewTokens} of them for the answer)`,
      problems,
      [room > 0 ? `--max-tokens ${room} is the most with which the longest prompt fits.` : 'Shorten the prompts.'],
    );
  }
  const column = findColumns(records, {}, ['prompt']).names.get('prompt') ?? 'prompt';
  const asText = new Set(records.filter(({ fields }) => !Array.isArray(fields[column])).map(({ source }) => source));
  return {
    rows,
    tokens,
    asGiven({ source, prompt }, response) {
      const [only, ...more] = prompt;
      // A text can hold several turns: a transcript, or JSON in a CSV cell.
      const text = asText.has(source) && only?.role === 'user' && more.length === 0;
      return text ? { prompt: only.content, completion: response } : { prompt, completion: [{ role: 'assistant', content: response }] };
    },
  };
}
