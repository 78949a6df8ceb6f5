import { UserError } from '../errors.js';
import { problemsError, type Problem } from './problem.js';
import type { Source } from './source.js';

/** Token ids of a row's two parts. */
export interface PromptAndResponse {
  readonly prompt: readonly number[];
  readonly response: readonly number[];
}

/** What to do with a row of more than `maxTokens` tokens. */
export type OnLong = 'error' | 'skip' | 'truncate-prompt-left';

/** A row that fits, and how many tokens of its prompt were cut; or why it does not. */
export type Fit = { readonly tokens: PromptAndResponse; readonly cut: number } | { readonly tooLong: string };

/**
 * Fits one row into `maxTokens`. The response is never cut: its end is what teaches a model to stop.
 * "truncate-prompt-left" drops tokens from the head of the prompt, as CUT's authors do; that takes the
 * beginning-of-text token and the system turn first. At least one prompt token must remain.
 */
export function fit(tokens: PromptAndResponse, maxTokens: number, onLong: OnLong): Fit {
  const { prompt, response } = tokens;
  const over = prompt.length + response.length - maxTokens;
  if (over <= 0) return { tokens, cut: 0 };
  const sizes = `${prompt.length} prompt + ${response.length} response tokens, over maxTokens ${maxTokens}`;
  if (onLong !== 'truncate-prompt-left') return { tooLong: `has ${sizes}` };
  if (over >= prompt.length) return { tooLong: `has ${sizes}, and the response leaves no room for any of the prompt` };
  return { tokens: { prompt: prompt.slice(over), response }, cut: over };
}

export interface Fitted<Item> {
  readonly kept: (Item & { readonly tokens: PromptAndResponse })[];
  /** Rows left out, with the reason. */
  readonly skipped: Problem[];
  /** Rows whose prompt was cut, with the number of tokens cut. */
  readonly truncated: { readonly source: Source; readonly cut: number }[];
}

/**
 * Fits many rows.
 *
 * @throws UserError listing all rows that are too long, with "error"; with "truncate-prompt-left",
 * those whose response alone is. With "skip" they come back in `skipped`.
 */
export function fitAll<Item extends { readonly source: Source; readonly tokens: PromptAndResponse }>(
  items: readonly Item[],
  maxTokens: number,
  onLong: OnLong,
): Fitted<Item> {
  if (!Number.isInteger(maxTokens) || maxTokens < 2) {
    throw new UserError(`data.maxTokens is ${maxTokens}; it must be a whole number from 2`);
  }
  const kept: (Item & { tokens: PromptAndResponse })[] = [];
  const tooLong: Problem[] = [];
  const truncated: { source: Source; cut: number }[] = [];
  for (const item of items) {
    const result = fit(item.tokens, maxTokens, onLong);
    if ('tooLong' in result) {
      tooLong.push({ source: item.source, reason: result.tooLong });
      continue;
    }
    kept.push({ ...item, tokens: result.tokens });
    if (result.cut > 0) truncated.push({ source: item.source, cut: result.cut });
  }
  if (tooLong.length > 0 && onLong !== 'skip') {
    const longest = Math.max(...items.map(({ tokens }) => tokens.prompt.length + tokens.response.length));
    const ways = onLong === 'error' ? 'skip or truncate-prompt-left' : 'skip';
    throw problemsError(`${tooLong.length} of ${items.length} rows are too long`, tooLong, [
      `Raise data.maxTokens (the longest row has ${longest}), or set data.onLong to ${ways}.`,
    ]);
  }
  return { kept, skipped: tooLong, truncated };
}
