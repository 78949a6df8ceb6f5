import type { EndpointOptions } from './options.js';

/** Tokens of one request. */
export interface Tokens {
  readonly prompt: number;
  readonly completion: number;
}

export const NOTHING: Tokens = { prompt: 0, completion: 0 };

/** What was spent, and whether there is enough left. A request under way counts with the most that it may take. */
export interface Budget {
  /** Counts what earlier runs took. */
  before(took: Tokens): void;
  /** Sets aside the most that a request may take. Returns what is wrong, in words, where less than that is left. */
  reserve(most: Tokens): string | undefined;
  /** Replaces the amount that was set aside for a request by the amount that it took. */
  settle(most: Tokens, took: Tokens): void;
  /** In the currency of the price list; undefined where there is none. */
  costOf(tokens: Tokens): number | undefined;
}

export function createBudget({ budget, prices }: Pick<EndpointOptions, 'budget' | 'prices'>): Budget {
  let [spent, reserved, spentMoney, reservedMoney] = [0, 0, 0, 0];
  let earlier = false;
  const count = ({ prompt, completion }: Tokens): number => prompt + completion;
  const costOf = ({ prompt, completion }: Tokens): number | undefined =>
    prices === undefined ? undefined : (prompt * prices.prompt + completion * prices.completion) / 1e6;
  const money = (tokens: Tokens): number => costOf(tokens) ?? 0;
  const take = (took: Tokens): void => {
    spent += count(took);
    spentMoney += money(took);
  };
  const tooLittle = (whole: string, [used, underWay, needed]: readonly string[]): string => {
    const since = earlier ? ', those of earlier runs with this store included,' : ',';
    return `the budget of ${whole} does not reach for this: ${used} are spent${since} ${underWay} under way, and it may take ${needed}`;
  };
  return {
    costOf,
    before(took) {
      earlier ||= count(took) > 0;
      take(took);
    },
    reserve(most) {
      if (budget?.tokens !== undefined && spent + reserved + count(most) > budget.tokens) {
        return tooLittle(`${budget.tokens} tokens`, [spent, reserved, count(most)].map(String));
      }
      if (budget?.money !== undefined && spentMoney + reservedMoney + money(most) > budget.money) {
        const inMoney = (x: number): string => `${Number(x.toPrecision(3))} ${prices!.currency}`;
        return tooLittle(inMoney(budget.money), [spentMoney, reservedMoney, money(most)].map(inMoney));
      }
      reserved += count(most);
      reservedMoney += money(most);
      return undefined;
    },
    settle(most, took) {
      reserved -= count(most);
      reservedMoney -= money(most);
      take(took);
    },
  };
}

/** About how many tokens a text has, rather too many than too few: a token of English has four bytes and more. */
export const tokensAbout = (bytes: number): number => Math.ceil(bytes / 3);
