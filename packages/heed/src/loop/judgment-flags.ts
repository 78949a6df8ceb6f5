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
  /** Rows scored: those whose judgment quotes words of the response, the first 32. */
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

/** A row whose judgment quotes its response: the places, and the response without the judgment and with it. */
interface Quoting {
  readonly spans: readonly Pick<Quote, 'start' | 'end'>[];
  readonly one: TokenSequence;
  readonly other: TokenSequence;
}

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
  const quoting: Quoting[] = [];
  for (const [index, row] of rows.entries()) {
    if (quoting.length === MOST) break;
    if (!('judgment' in row) || typeof row.judgment !== 'string' || row.satisfied || !method.uses(row)) continue;
    const spans = quotedPlaces(row.judgment, row.completion);
    if (spans.length === 0) continue;
    const { [flags.of]: of, [flags.against]: against } = method.sequences(row, text, { rows, index });
    const [one, other] = [of?.[0], against?.[0]];
    if (one !== undefined && other !== undefined && fits(one) && fits(other)) quoting.push({ spans, one, other });
  }
  const none = { tokens: 0, flagged: 0 };
  const counts = { rows: quoting.length, quotedToo: flags.quoted, places: 0, flaggedPlaces: 0, quoted: { ...none }, others: { ...none } };
  if (quoting.length === 0) return counts;

  try {
    progress.start('scoring responses with and without their judgments', quoting.length, { unit: 'rows' });
    const scorer = await createScorer(engine, model);
    const logp = await scorer.logProbs(quoting.flatMap(({ one, other }) => [one, other]), (done) => progress.update(Math.floor(done / 2)));
    quoting.forEach(({ spans, one }, i) => {
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
  if (rows === 0) return ['No judgment quotes words of its response, so nothing tells whether judgments flag what they speak of.'];
  return [
    `The untrained model, shown the judgment, flags ${flaggedPlaces} of ${places} quoted places (${share(flaggedPlaces, places)}) in `
      + `${rows} rows: ${share(quoted.flagged, quoted.tokens)} of their tokens, and ${share(others.flagged, others.tokens)} of all others.`,
    ...remarks(seen),
  ];
}

/** Below this share of flagged places, most of what judgments quote is imitated. */
const MOST_FLAGGED = 0.5;

/** What stands in the way of learning, and the way out. Empty where the judgments quote nothing, since then nothing is known. */
export function remarks({ rows, quotedToo, places, flaggedPlaces, quoted, others }: JudgmentFlags): string[] {
  if (rows === 0 || quotedToo) return [];
  if (flaggedPlaces < MOST_FLAGGED * places) {
    return [
      `${places - flaggedPlaces} of ${places} places that judgments quote would be imitated, since the ratio q/p does not flag them: `
        + 'method.quoted: flag pushes all of them down.',
    ];
  }
  const often = quoted.flagged * others.tokens > others.flagged * quoted.tokens;
  return often ? [] : ['It flags what is quoted no more often than the rest: such judgments teach this model little or nothing.'];
}
