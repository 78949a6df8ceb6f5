import { ChangedResponseError } from '../errors.js';
import type { Template } from './template.js';
import type { Tokenizer } from './tokenizer.js';

/** The tokens of an unfinished turn: what the template writes for this text, without the end of the turn. */
export function begunTurn({ tokenizer, template }: { readonly tokenizer: Tokenizer; readonly template: Template }, text: string): number[] {
  const written = finished(template, text)?.slice(0, -1);
  // Some templates trim the text, cut it, or put a space before the end of turn. An unfinished turn must keep its text as it is.
  return written && tokenizer.decode(written).trimStart() === text.trimStart() ? written : tokenizer.encode(text, { after: 'text' });
}

function finished(template: Template, text: string): number[] | undefined {
  try {
    return template.response(text);
  } catch (error) {
    if (error instanceof ChangedResponseError) return undefined;
    throw error;
  }
}
