// @ts-check
// Claims that other experiments measure: where their results lie, and the rule that decides them.
import { PLAN } from '../online/plan.js';
import { resultOf, resultsOf } from '../shared/results.js';
import { change, number, table } from './cells.js';

/**
 * @typedef {{ mean: number, low: number, high: number }} Interval
 * @typedef {object} Other
 * @property {string} paper
 * @property {string} says The claim, in words.
 * @property {string} numbers The paper's own.
 * @property {string} [what] What is measured here.
 * @property {string} page Where its table is, under docs/.
 * @property {() => Interval[]} [read] The intervals: one for each seed, or for each part of the claim. None: it was not run.
 * @property {number} [least] What an interval must lie above for the claim to hold. Default: 0.
 * @property {1 | -1} [sign] -1: it must lie below. Default: 1.
 * @property {'points'} [as] Shares. Default: numbers.
 */

const RLAIF = 'RLAIF, Lee et al. 2309.00267';
const SALMON = 'SALMON, Sun et al. 2310.05910';
const CUT = 'CUT, Xu et al. 2312.14591';
const D2O = 'D2O, Duan et al. 2403.03419';
const SURVEY = 'survey of RLAIF';

/** Each seed's paired change of a loop. @param {string} name @returns {Pick<Other, 'page' | 'what' | 'read' | 'as'>} */
const loop = (name) => ({
  page: PLAN[name].page,
  what: `good held-out answers, after − before; it learns from ${PLAN[name].teacher}`, as: 'points',
  read: () => resultsOf('online', name).map((result) => result.change.satisfied),
});
/**
 * A judge's share of right verdicts, yes and no weighed alike.
 *
 * @param {string} name @returns {Pick<Other, 'page' | 'what' | 'read' | 'least'>}
 */
const judge = (name) => ({
  page: 'judges.md',
  what: 'balanced accuracy, beside 0.5 by chance', least: 0.5,
  read: () => found('judges', name, ({ taught }) => [taught.balancedAccuracy]),
});
/** @param {string} kind @param {string} name @param {(result: any) => Interval[]} read */
function found(kind, name, read) {
  const result = resultOf(kind, name);
  return result === undefined ? [] : read(result);
}

/** @type {readonly Other[]} */
export const OTHERS = [
  {
    paper: CUT, says: 'Online rounds make answers better.', numbers: 'AlpacaEval 81.1 → 91.7',
    ...loop('online-cut'),
  },
  {
    paper: D2O, says: 'Bad answers and own ones drawn online make answers better.', numbers: 'no number that could be checked',
    ...loop('online-d2o'),
  },
  {
    paper: RLAIF, says: 'A loop with a reward model makes answers better.', numbers: 'preferred to SFT: 71 %',
    ...loop('rlaif'),
  },
  {
    paper: RLAIF, says: 'Direct scores do so with no reward model.', numbers: 'preferred to SFT: 74 %',
    ...loop('direct-rlaif'),
  },
  {
    paper: RLAIF, says: 'A judge of the size of the model teaches it.', numbers: 'preferred to SFT: 68 %', page: 'rlaif.md',
    what: "right verdicts of the DPO model's own reward, beside 0.5 by chance", least: 0.5,
    read: () => found('rlaif', 'same-size', ({ by }) => [by.dpoReward]),
  },
  {
    paper: RLAIF, says: 'Soft labels calibrate a reward model better than hard ones.', numbers: 'no ablation', page: 'rlaif.md',
    what: 'Brier score, soft − hard', sign: -1, read: () => found('rlaif', 'soft-labels', ({ difference }) => [difference.brier]),
  },
  {
    paper: RLAIF, says: 'A small judge prefers a place to an answer.', numbers: 'same place: 56 % (PaLM 2 XS), 18 % (L)', page: 'judges.md',
    what: 'pairs of which it took the same place in both orders, beside one half', least: 0.5,
    read: () => found('judges', 'preferences', ({ table: [untaught] }) => [untaught.position.same]),
  },
  {
    paper: RLAIF, says: 'Chain of thought makes labels better; self-consistency does not.', numbers: '76.1 → 77.5 %',
    page: 'judges.md',
  },
  {
    paper: RLAIF, says: 'AI labels teach as much as labels of people, at equal count.', numbers: 'against RLHF: 50 %',
    page: 'rlaif.md',
  },
  {
    paper: SALMON, says: 'A reward model follows principles and their negation.', numbers: 'no number', page: 'rlaif.md',
    what: 'pairs right under a principle and under its negation, of three principles, beside 0.25 by chance', least: 0.25,
    read: () => found('rlaif', 'principles', ({ by }) => Object.values(by).map(({ follows }) => follows)),
  },
  {
    paper: SALMON, says: 'A principle that the reward model never saw lowers a hack.', numbers: 'no number', page: 'rlaif.md',
    what: "the hacked answer's lead, with − without the principle, of three hacks", sign: -1,
    read: () => found('rlaif', 'hacks', ({ by }) => Object.values(by).map((hack) => hack.change)),
  },
  {
    paper: SALMON, says: 'A principle that it was taught lowers a hack.', numbers: 'no number', page: 'rlaif.md',
    what: 'hacked answers that win, with − without', sign: -1, as: 'points', read: () => found('rlaif', 'added', ({ by }) => [by.change]),
  },
  {
    paper: SALMON, says: 'Policy gradient under principles makes answers better.', numbers: 'MT-Bench 6.91 → 7.37',
    ...loop('salmon'),
  },
  {
    paper: SURVEY, says: 'A small detector tells refusals from answers.', numbers: 'none',
    ...judge('refusal'),
  },
  {
    paper: SURVEY, says: 'A small detector tells toxic texts.', numbers: 'none',
    ...judge('toxicity'),
  },
  {
    paper: SURVEY, says: 'A small detector tells false answers.', numbers: 'none',
    ...judge('truthfulness'),
  },
  {
    paper: SURVEY, says: "Learning from the model's own criticism makes answers better.", numbers: 'none',
    ...loop('constitutional'),
  },
  {
    paper: SURVEY, says: 'Answers get better under a constraint; its page says whether the limit held.', numbers: 'none',
    ...loop('constrained'),
  },
  {
    paper: SURVEY, says: 'A critic that learns in turn makes answers better.', numbers: 'none',
    ...loop('adversarial'),
  },
  {
    paper: SURVEY, says: 'A controller that chooses temperature and top-k does better than the best fixed one.', numbers: 'none',
    page: 'controller.md', what: 'reward on held-out prompts, controller − best fixed temperature and top-k',
    read: () => resultsOf('controller', 'house').map((result) => result.againstCell.change),
  },
];

/**
 * What intervals say of a claim, by the rule of docs/evidence.md: each of them must lie beyond what chance gives, on the side of the claim.
 *
 * @param {readonly Interval[]} intervals @param {{ least?: number, sign?: 1 | -1 }} claim
 */
export function verdictOf(intervals, { least = 0, sign = 1 }) {
  const sides = intervals.map(({ low, high }) => (sign > 0 ? [low - least, high - least] : [least - high, least - low]));
  if (sides.every(([low]) => low > 0)) return 'reproduced';
  return sides.every(([, high]) => high < 0) ? 'not reproduced' : 'cannot tell';
}

export function othersText() {
  return table(
    ['paper', 'claim', 'its numbers', 'measured here', 'runs or parts', 'more'],
    OTHERS.map(({ paper, says, numbers, what, page, read, as, ...claim }) => {
      const intervals = read?.() ?? [];
      const cells = intervals.map((one) => (as === 'points' ? `${change(one)} points` : number(one, 3)));
      const measured = intervals.length === 0 ? 'not run' : `**${verdictOf(intervals, claim)}**: ${cells.join('; ')} (${what})`;
      return [paper, says, numbers, measured, `${intervals.length}`, `[page](${page})`];
    }),
  );
}
