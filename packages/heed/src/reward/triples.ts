import { z } from 'zod';
import { promptKey } from '../data/hash.js';
import { describeJudge } from '../judge/open.js';
import { RespondentOptions } from '../judge/options.js';
import { type ChoiceReply, type Failure, type Respondent, failed } from '../judge/respondent.js';
import { CRITERIA } from '../label/criteria.js';
import { type Pair, type Single, asTrl } from '../label/material.js';
import { PreferencesOptions, labelPreferences } from '../label/preferences.js';
import { RATINGS, ScoresOptions, ratingQuestion, scoreOf } from '../label/scores.js';
import { fence } from '../text/fence.js';
import { askAllThrough, singlesOf } from './ask-through.js';
import { defineReward } from './define.js';
import { openAll } from './panel.js';
import type { Rated } from './reward.js';

const Options = ScoresOptions.omit({ name: true }).extend({
  /** Who scores each response. */
  rater: RespondentOptions,
  /** Who compares two responses to one prompt: another judge than the rater, or the check says little. */
  comparer: RespondentOptions,
  /** A comparison contradicts a rating where its probability lies at least so far on the other side of ½. */
  margin: z.number().min(0).lt(0.5).default(0.1),
  /** Responses with at least this score, from −1 to 1, are satisfactory. Default: the reward draws no line. */
  threshold: z.number().min(-1).max(1).optional(),
});

type Scored = number | Failure;
type Asked = Pick<ScoresOptions, 'criterion' | 'preamble' | 'invert'>;

/** Two responses of one prompt, the better rated one first, as indices. */
type Ranked = readonly [better: number, worse: number];

/**
 * `triples`: one model writes, a second rates, a third compares, and each checks the one before. The responses to a prompt are ranked by
 * their scores, and every two neighbours are compared, in both orders. Where a comparison contradicts the scores, both are flagged, and the
 * rater is asked about each again, now shown the other and the verdict. Value: the score, or the mean of both. Both are kept.
 */
export const triples = defineReward({
  name: 'triples',
  learned: true,
  options: Options,
  // Of every criterion a higher score is better; what words of the user's own ask for, only they know.
  mayBeCost: ({ preamble }) => preamble !== undefined,
  describe: ({ rater, comparer, criterion }) => `triples (${criterion}): ${describeJudge(rater)} checked by ${describeJudge(comparer)}`,
  async open({ rater, comparer, margin, threshold, ...options }, tools) {
    const how = `triples ${JSON.stringify({ ...options, margin, threshold })}`;
    const judges = await openAll([rater, comparer], tools);
    return askAllThrough(judges, tools, how, threshold !== undefined, async (items, [rates, compares]) => {
      const singles = singlesOf(items);
      const first = await score(rates!, singles.map((single) => ({ ...ratingQuestion(single, options), answers: RATINGS })), options);
      const ranked = neighbours(singles, first);
      const against = await contradicted(compares!, singles, ranked, { criterion: options.criterion, margin });
      // A response in the middle may contradict both neighbours: it is asked about once, beside the one that is rated worse.
      const flagged = new Map(against.flatMap((pair): [number, Ranked][] => pair.map((i) => [i, pair])));
      const again = await askAgain(rates!, singles, flagged, options);
      const results = items.map((_, i) => rated(first[i]!, again.get(i), flagged.has(i), threshold));
      const valueOf = (i: number): number => (results[i] as Rated).value;
      const still = against.filter(([better, worse]) => valueOf(better) >= valueOf(worse)).length;
      tools.log?.(`triples: ${against.length} of ${ranked.length} comparisons contradict the ratings; asked again, ${still} still do`);
      return results;
    });
  },
});

async function score(
  rater: Respondent, questions: Parameters<Respondent['choose']>[0], options: Asked,
): Promise<Scored[]> {
  return (await rater.choose(questions)).map((reply: ChoiceReply | Failure) => (failed(reply) ? reply : scoreOf(reply, options)));
}

/** Neighbours in the order of scores, of each prompt. Equal scores or texts rank nothing. */
function neighbours(singles: readonly Single[], scores: readonly Scored[]): Ranked[] {
  const byPrompt = new Map<string, number[]>();
  for (const [i, { prompt }] of singles.entries()) {
    const key = promptKey(prompt);
    if (typeof scores[i] === 'number') byPrompt.set(key, [...(byPrompt.get(key) ?? []), i]);
  }
  return [...byPrompt.values()].flatMap((own) => {
    const order = own.toSorted((a, b) => (scores[b] as number) - (scores[a] as number));
    return order.slice(1).flatMap((worse, k): Ranked[] => {
      const better = order[k]!;
      const equal = scores[better] === scores[worse] || singles[better]!.completion.trim() === singles[worse]!.completion.trim();
      return equal ? [] : [[better, worse]];
    });
  });
}

/** Those of the ranked pairs whose comparison says the opposite. A comparison that fails contradicts nothing. */
async function contradicted(
  comparer: Respondent, singles: readonly Single[], ranked: readonly Ranked[],
  { criterion, margin }: { readonly criterion: ScoresOptions['criterion']; readonly margin: number },
): Promise<Ranked[]> {
  if (ranked.length === 0) return [];
  const pairs = ranked.map(([better, worse], k): Pair => {
    const { source, prompt, completion } = singles[better]!;
    return { source, prompt, id: String(k), responses: [completion, singles[worse]!.completion] };
  });
  const { rows } = await labelPreferences(pairs, comparer, PreferencesOptions.parse({ name: 'preferences', criterion }));
  return rows.flatMap(({ id, chosen, soft_label: certainty }) => {
    const k = Number(id);
    const { prompt, responses: [, second] } = pairs[k]!;
    const secondChosen = JSON.stringify(chosen) === JSON.stringify(asTrl(prompt).response(second));
    return secondChosen && (certainty as number) >= 0.5 + margin ? [ranked[k]!] : [];
  });
}

/** The second scores of flagged responses: the rater is shown the other response, and how it compared. */
async function askAgain(
  rater: Respondent, singles: readonly Single[], flagged: ReadonlyMap<number, Ranked>, options: Asked,
): Promise<ReadonlyMap<number, Scored>> {
  const { criterion, preamble } = options;
  const { rate, candidate } = CRITERIA[criterion];
  const all = [...flagged];
  const questions = all.map(([i, [better, worse]]) => {
    // The comparison turned the ratings round, so that the one rated worse is the better one.
    const [other, verdict] = i === worse ? [better, 'better'] : [worse, 'worse'];
    const shown = `Another judge, who saw it beside the other ${candidate.toLowerCase()} below, found it the ${verdict} one of the two.`;
    const shownOther = `Other ${candidate.toLowerCase()}:\n${fence(singles[other]!.completion)}`;
    const words = `${preamble ?? rate} ${shown}\n\n${shownOther}\n\nRate the ${candidate.toLowerCase()} at the end.`;
    return { ...ratingQuestion(singles[i]!, { criterion, preamble: words }), answers: RATINGS };
  });
  const scores = all.length === 0 ? [] : await score(rater, questions, options);
  return new Map(all.map(([i], k) => [i, scores[k]!]));
}

function rated(first: Scored, again: Scored | undefined, flagged: boolean, threshold: number | undefined): Rated | Failure {
  if (typeof first !== 'number') return first;
  const second = typeof again === 'number' ? again : undefined;
  const value = second === undefined ? first : (first + second) / 2;
  const satisfied = threshold === undefined ? undefined : value >= threshold;
  const twice = second === undefined ? '' : ` (${first.toFixed(2)} at first, ${second.toFixed(2)} when asked again)`;
  return {
    value, satisfied,
    reason: satisfied === false ? `Its score is ${value.toFixed(2)}${twice}, from −1 to 1.` : null,
    parts: { rating: first, ...(second === undefined ? {} : { again: second }), flagged: Number(flagged) },
  };
}
