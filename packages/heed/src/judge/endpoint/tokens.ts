import { z } from 'zod';

/** One of the likeliest tokens at a place. */
export interface Likely {
  readonly token: string;
  readonly logprob: number;
}

/** A token as a server lists it. `bytes` say what it is where the server gives them. */
export const ListedToken = z.object({
  token: z.string(),
  logprob: z.number(),
  bytes: z.array(z.int().min(0).max(255)).nullish().catch(undefined),
});
type ListedToken = z.infer<typeof ListedToken>;

/** What a token says. Servers spell tokens as text, or as their vocabulary does: `▁1`, `Ġ1`, `<0x31>`. */
export function textOf({ token, bytes }: Pick<ListedToken, 'token' | 'bytes'>): string {
  const spelt = bytes !== null && bytes !== undefined && bytes.length > 0 ? Buffer.from(bytes).toString() : token;
  return spelt
    .replace(/^(?:<0x[0-9A-F]{2}>)+$/i, (all) => Buffer.from(all.replaceAll(/<0x|>/gi, ''), 'hex').toString())
    .replaceAll('▁', ' ')
    .replace(/^Ġ+/, (spaces) => ' '.repeat(spaces.length))
    .replaceAll('Ċ', '\n');
}

/**
 * The likeliest tokens by their texts; the chosen one is added where the list lacks it. A token that is listed twice counts once. Tokens
 * that spell one text in different ways are different tokens, and all count.
 *
 * Some servers write the chosen token otherwise than the list does, with a space say. It is listed already where a listed token of the
 * same letters has the same probability, or where the list would hold more than there is with it.
 */
export function likelyOf(chosen: ListedToken | undefined, listed: readonly ListedToken[]): Likely[] {
  const once = new Map(listed.map((one) => [JSON.stringify([one.token, one.bytes ?? null, one.logprob]), one]));
  const top = [...once.values()].map((one): Likely => ({ token: textOf(one), logprob: one.logprob }));
  if (chosen === undefined) return top;
  const own = { token: textOf(chosen), logprob: chosen.logprob };
  const all = [...top, own].reduce((sum, { logprob }) => sum + Math.exp(logprob), 0);
  const isListed = top.some(({ token, logprob }) => (
    token === own.token || (token.trim() === own.token.trim() && (all > 1 + SLACK || Math.abs(logprob - own.logprob) < SLACK))
  ));
  return isListed ? top : [...top, own];
}

/** What servers round away. */
const SLACK = 1e-3;
