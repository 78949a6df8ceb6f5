/** How often judgments flag the words that they quote: whether a model reads them at all, seen before anything is trained. */
import type { Engine } from '@heed/tensor';

import type { AnyRow } from '../data/rows.js';
import { type Quote, quotedPlaces } from '../text/quotes.js';
import type { BoundMethod } from '../method/method.js';
import { createScorer } from '../model/scorer.js';
import type { Model } from '../model/load.js';
import type { Progress } from '../run/progress.js';
import { createRespond } from '../text/respond.js';
import { holds, tokenSpans } from '../text/token-ends.js';
import type { TokenSequence } from '../text/token-sequence.js';

/** Rows that are scored at most: a share is seen well enough in them, and a look stays short. */
const MOST = 32;

/** What the untrained model makes of judgments that quote. */
export interface JudgmentFlags {
  /** Rows scored: the first 32 whose judgment quotes words of the response; where none does, the first 32 unsatisfactory ones. */
  readonly rows: number;
  /** Whether what is quoted is flagged whatever the ratio says (`method.quoted: flag`). */
  readonly quotedToo: boolean;
  /** Quoted places, and those of which the ratio flags some token. */
  readonly places: number;
  readonly flaggedPlaces: number;
  /** Tokens in quoted places and outside, and how many of each are flagged. */
  readonly quoted: { readonly tokens: number; readonly flagged: number };
  readonly others: { readonly tokens: number; readonly flagged: number };
}

/** A row with a judgment: the places that it quotes, and the response without the judgment and with it. */
interface Judged {
  readonly spans: readonly Pick<Quote, 'start' | 'end'>[];
  readonly one: TokenSequence;
  readonly other: TokenSequence;
}

/** The places of a response that its judgment quotes. */
const placesIn = (row: AnyRow): Judged['spans'] =>
  ('judgment' in row && typeof row.judgment === 'string' && !row.satisfied ? quotedPlaces(row.judgment, row.completion) : []);

/** Whether a row's judgment quotes words of its response. */
export const quotes = (row: AnyRow): boolean => placesIn(row).length > 0;

/**
 * Scores responses with and without their judgments by the model as it is.
 *
 * @returns undefined where the method looks for no faulty tokens
 */
export async function judgmentFlags(
  engine: Engine, model: Model, method: BoundMethod, rows: readonly AnyRow[], progress: Progress,
): Promise<JudgmentFlags | undefined> {
  const { flags } = method;
  if (flags === undefined) return undefined;
  const text = createRespond(model.template);
  const fits = (s: TokenSequence): boolean => s.prompt.length + s.response.length <= model.architecture.context;
  const seen: Judged[] = [];
  const anyQuotes = rows.some(quotes);
  for (const [index, row] of rows.entries()) {
    if (seen.length === MOST) break;
    if (!('judgment' in row) || row.satisfied || !method.uses(row) || (anyQuotes && !quotes(row))) continue;
    const { [flags.of]: of, [flags.against]: against } = method.sequences(row, text, { rows, index });
    const [one, other] = [of?.[0], against?.[0]];
    if (one !== undefined && other !== undefined && fits(one) && fits(other)) seen.push({ spans: placesIn(row), one, other });
  }
  const none = { tokens: 0, flagged: 0 };
  const counts = { rows: seen.length, quotedToo: flags.quoted, places: 0, flaggedPlaces: 0, quoted: { ...none }, others: { ...none } };
  if (seen.length === 0) return counts;

  try {
    progress.start('scoring responses with and without their judgments', seen.length, { unit: 'rows' });
    const scorer = await createScorer(engine, model);
    const logp = await scorer.logProbs(seen.flatMap(({ one, other }) => [one, other]), (done) => progress.update(Math.floor(done / 2)));
    seen.forEach(({ spans, one }, i) => {
      const [plain, judged] = [logp[2 * i]!, logp[2 * i + 1]!];
      const flagged = plain.map((p, t) => (judged[t] ?? 0) - (p ?? 0) > Math.log(flags.above));
      const places = tokenSpans(model.tokenizer, one.response);
      for (const span of spans) {
        counts.places++;
        if (flagged.some((yes, t) => yes && holds(places[t]!, span))) counts.flaggedPlaces++;
      }
      for (const [t, yes] of flagged.entries()) {
        const part = spans.some((span) => holds(places[t]!, span)) ? counts.quoted : counts.others;
        part.tokens++;
        if (yes) part.flagged++;
      }
    });
    await scorer.release();
  } finally {
    progress.stop();
  }
  return counts;
}

const share = (n: number, of: number): string => (of === 0 ? '–' : `${Math.round((100 * n) / of)} %`);

/** The same for people. */
export function renderFlags(seen: JudgmentFlags): string[] {
  const { rows, places, flaggedPlaces, quoted, others } = seen;
  if (rows === 0) return [];
  const what = places === 0
    ? `${share(others.flagged, others.tokens)} of the tokens of ${rows} responses; no judgment quotes any.`
    : `${flaggedPlaces} of ${places} quoted places (${share(flaggedPlaces, places)}) in ${rows} rows: `
      + `${share(quoted.flagged, quoted.tokens)} of their tokens, and ${share(others.flagged, others.tokens)} of all others.`;
  return [`The untrained model, shown the judgment, flags ${what}`, ...remarks(seen)];
}

/** Below this share of flagged places, most of what judgments quote is imitated. */
const MOST_FLAGGED = 0.5;
/** Below this share of tokens, where judgments quote nothing, next to nothing is flagged. */
const NOTHING_FLAGGED = 0.02;

/** What stands in the way of learning, and the way out. */
export function remarks({ rows, quotedToo, places, flaggedPlaces, quoted, others }: JudgmentFlags): string[] {
  if (rows === 0) return [];
  if (places === 0) {
    if (others.flagged >= NOTHING_FLAGGED * others.tokens) return [];
    return [`Next to nothing is flagged (${others.flagged} of ${others.tokens} tokens): unsatisfactory responses would be imitated as they `
      + 'are. Quote the words at fault in the judgments, or learn from better answers.'];
  }
  if (quotedToo) return [];
  if (flaggedPlaces < MOST_FLAGGED * places) {
    return [
      `${places - flaggedPlaces} of ${places} places that judgments quote would be imitated, since the ratio q/p does not flag them: `
        + 'method.quoted: flag pushes all of them down.',
    ];
  }
  const often = quoted.flagged * others.tokens > others.flagged * quoted.tokens;
  return often ? [] : ['It flags what is quoted no more often than the rest: such judgments teach this model little or nothing.'];
}
