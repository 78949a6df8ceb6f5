import type { EndpointOptions } from './options.js';

/** Tokens of one request. */
export interface Tokens {
  readonly prompt: number;
  readonly completion: number;
}

/** What was spent, and whether there is enough left. What is under way counts as if it took all that it may. */
export interface Budget {
  /** Counts what earlier runs took. */
  before(took: Tokens): void;
  /** Sets aside what a request may take; what is wrong, in words, where that is more than is left. */
  reserve(most: Tokens): string | undefined;
  /** Ends a reservation: what the request took. */
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
  const inAll = (): string => (earlier ? ', those of earlier runs with this store included,' : ',');
  return {
    costOf,
    before(took) {
      earlier ||= count(took) > 0;
      take(took);
    },
    reserve(most) {
      if (budget?.tokens !== undefined && spent + reserved + count(most) > budget.tokens) {
        return `the budget of ${budget.tokens} tokens does not reach for this: ${spent} are spent${inAll()} ${reserved} under way, and it may take ${count(most)}`;
      }
      if (budget?.money !== undefined && spentMoney + reservedMoney + money(most) > budget.money) {
        const amounts = [budget.money, spentMoney, reservedMoney, money(most)].map(
          (x) => `${Number(x.toPrecision(3))} ${prices!.currency}`,
        );
        return `the budget of ${amounts[0]} does not reach for this: ${amounts[1]} are spent${inAll()} ${amounts[2]} under way, and it may take ${amounts[3]}`;
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
