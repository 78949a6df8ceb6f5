/** Files of prompts, read for a model that shall answer them. */
import { findColumns } from '../data/columns.js';
import { parseRows } from '../data/parse.js';
import { type Problem, problemsError } from '../data/problem.js';
import { readRecords } from '../data/read.js';
import type { Message, PromptRow } from '../data/rows.js';
import type { Model } from '../model/load.js';

/** Prompts in the order of the file. */
export interface Prompts {
  readonly rows: readonly PromptRow[];
  /** Each row's prompt in tokens. */
  readonly tokens: readonly (readonly number[])[];
  /** A row's prompt and a response to it in TRL's two forms: text where the file has text, turns where it has turns. */
  asGiven(row: PromptRow, response: string): { readonly prompt: string | readonly Message[]; readonly completion: string | readonly Message[] };
}

/**
 * Reads the prompts of a file and makes them tokens.
 *
 * @throws UserError that lists all rows that cannot be used, or whose prompt and `maxNewTokens` are more than the model's context.
 */
export async function readPrompts(file: string, { template, architecture: { context }, checkpoint: { id } }: Model, { maxNewTokens, limit }: { readonly maxNewTokens: number; readonly limit?: number }): Promise<Prompts> {
  const { rows: records, broken } = await readRecords(file);
  const rows = parseRows('prompt', records, { broken }).rows.slice(0, limit);
  const problems: Problem[] = [];
  const tokens = rows.map((row) => {
    try {
      const ids = template.prompt(row.prompt);
      if (ids.length + maxNewTokens > context) problems.push({ source: row.source, reason: `has ${ids.length} prompt tokens` });
      return ids;
    } catch (error) {
      // Templates refuse conversations that they cannot express: the file's fault, not ours.
      problems.push({ source: row.source, reason: error instanceof Error ? error.message : String(error) });
      return [];
    }
  });
  if (problems.length > 0) {
    const room = context - Math.max(...tokens.map((ids) => ids.length));
    const tooLong = room < maxNewTokens;
    throw problemsError(
      `${problems.length} of ${rows.length} prompts cannot be answered${tooLong ? ` (the context of ${id} holds ${context} tokens, --max-tokens ${maxNewTokens} of them for the answer)` : ''}`,
      problems,
      tooLong ? [room > 0 ? `--max-tokens ${room} is the most with which the longest prompt fits.` : 'Shorten the prompts.'] : [],
    );
  }
  const column = findColumns(records).names.prompt ?? 'prompt';
  const asText = new Set(records.filter(({ fields }) => !Array.isArray(fields[column])).map(({ source }) => source));
  return {
    rows,
    tokens,
    asGiven({ source, prompt }, response) {
      const [only, ...more] = prompt;
      // A transcript or a CSV cell of JSON is text that holds several turns.
      const text = asText.has(source) && only?.role === 'user' && more.length === 0;
      return text ? { prompt: only.content, completion: response } : { prompt, completion: [{ role: 'assistant', content: response }] };
    },
  };
}
