/** Which tokens of an answer a policy gradient gave the credit for its reward. */
import type { RolloutLine } from '../run/report/rollouts.js';
import { UserError } from '../errors.js';
import type { CreditPart, CreditShown } from './api.js';

/** @param textOf Opens the tokenizer of the run's model; asked for only where an answer's tokens differ in their advantage. */
export async function creditPart(
  rollouts: readonly RolloutLine[], wanted: number | undefined, { offset, limit }: { readonly offset: number; readonly limit: number },
  textOf: () => Promise<(id: number) => string>,
): Promise<CreditPart> {
  const rounds = [...new Set(rollouts.map(({ round }) => round))].sort((a, b) => b - a);
  const round = wanted ?? rounds[0] ?? 0;
  const all = rollouts.filter((one) => one.round === round).sort((a, b) => (b.reward ?? -Infinity) - (a.reward ?? -Infinity));
  const page = all.slice(offset, offset + limit);
  const { textOf: text, note } = page.some(({ ids }) => ids !== undefined) ? await tokenizerOr(textOf) : {};
  return {
    total: all.length, items: page.map((line) => creditOf(line, text)), round, rounds,
    largest: Math.max(0, ...all.flatMap(({ advantages, advantage }) => (advantages ?? [advantage]).map(Math.abs))),
    note,
  };
}

async function tokenizerOr(
  open: () => Promise<(id: number) => string>,
): Promise<{ readonly textOf?: (id: number) => string; readonly note?: string }> {
  try {
    return { textOf: await open() };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { note: `The tokens cannot be told apart without the run's model: ${error.message}` };
  }
}

function creditOf(
  { round, row, prompt, completion, reward, rewards = {}, reason, advantage, ids, advantages }: RolloutLine,
  textOf: ((id: number) => string) | undefined,
): CreditShown {
  const apart = ids !== undefined && advantages?.length === ids.length && textOf !== undefined;
  return {
    round, row, prompt, reward, rewards, advantage, ...(reason && { reason }),
    texts: apart ? ids.map(textOf) : [completion], advantages: apart ? advantages : [advantage],
  };
}
