import { ChangedResponseError } from '../errors.js';
import type { Template } from './template.js';
import type { Tokenizer } from './tokenizer.js';

/** A text as the beginning of a turn that goes on: as the template writes it, but for its end. */
export function begunTurn({ tokenizer, template }: { readonly tokenizer: Tokenizer; readonly template: Template }, text: string): number[] {
  const written = finished(template, text)?.slice(0, -1);
  // Some templates trim what they are given, cut it, or put a space before the end of turn: none of it belongs to an answer that goes on.
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
