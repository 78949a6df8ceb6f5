/** How often judgments flag the words that they quote: whether a model reads them at all, seen before anything is trained. */
import { startEngine } from '@heed/tensor';

import type { AnyRow } from '../data/rows.js';
import { type Quote, quotedSpans } from '../label/quotes.js';
import type { BoundMethod } from '../method/method.js';
import { createScorer } from '../model/scorer.js';
import type { Model } from '../model/load.js';
import type { Progress } from '../run/progress.js';
import { createRespond } from '../text/respond.js';
import { tokenSpans } from '../text/token-ends.js';
import type { TokenSequence } from '../text/token-sequence.js';

/** Rows that are scored at most: a share is seen well enough in them, and a look stays short. */
const MOST = 32;

/** What the untrained model makes of judgments that quote. */
export interface JudgmentFlags {
  /** Rows scored: those whose judgment quotes words of the response, the first 32. */
  readonly rows: number;
  /** Quoted places, and those of which some token is flagged. */
  readonly places: number;
  readonly flaggedPlaces: number;
  /** Tokens in quoted places and outside, and how many of each are flagged. */
  readonly quoted: { readonly tokens: number; readonly flagged: number };
  readonly others: { readonly tokens: number; readonly flagged: number };
}

/**
 * Scores responses with and without their judgments by the model as it is.
 *
 * @returns undefined where the method flags nothing
 */
export async function judgmentFlags(
  model: Model, method: BoundMethod, rows: readonly AnyRow[], progress: Progress,
): Promise<JudgmentFlags | undefined> {
  const { flags } = method;
  if (flags === undefined) return undefined;
  const text = createRespond(model.template);
  const quoting = rows.flatMap((row, index) => {
    if (!('judgment' in row) || typeof row.judgment !== 'string' || row.satisfied || !method.uses(row)) return [];
    const { spans } = quotedSpans(row.judgment, row.completion);
    if (spans.length === 0) return [];
    const { [flags.of]: of, [flags.against]: against } = method.sequences(row, text, { rows, index });
    const [one, other] = [of?.[0], against?.[0]];
    const fits = (s: TokenSequence): boolean => s.prompt.length + s.response.length <= model.architecture.context;
    return one !== undefined && other !== undefined && fits(one) && fits(other) ? [{ spans, one, other }] : [];
  }).slice(0, MOST);
  const none = { tokens: 0, flagged: 0 };
  const counts = { rows: quoting.length, places: 0, flaggedPlaces: 0, quoted: { ...none }, others: { ...none } };
  if (quoting.length === 0) return counts;

  const engine = await startEngine();
  try {
    progress.start('scoring responses with and without their judgments', quoting.length, { unit: 'rows' });
    const scorer = await createScorer(engine, model);
    const logp = await scorer.logProbs(quoting.flatMap(({ one, other }) => [one, other]), (done) => progress.update(Math.floor(done / 2)));
    quoting.forEach(({ spans, one }, i) => {
      const [plain, judged] = [logp[2 * i]!, logp[2 * i + 1]!];
      const flagged = plain.map((p, t) => (judged[t] ?? 0) - (p ?? 0) > Math.log(flags.above));
      const places = tokenSpans(model.tokenizer, one.response);
      const within = (t: number, { start, end }: Quote): boolean => places[t]!.start < end && places[t]!.end > start;
      for (const span of spans) {
        counts.places++;
        if (flagged.some((yes, t) => yes && within(t, span))) counts.flaggedPlaces++;
      }
      for (const [t, yes] of flagged.entries()) {
        const part = spans.some((span) => within(t, span)) ? counts.quoted : counts.others;
        part.tokens++;
        if (yes) part.flagged++;
      }
    });
    await scorer.release();
  } finally {
    progress.stop();
    await engine.close();
  }
  return counts;
}

const share = (n: number, of: number): string => (of === 0 ? '–' : `${Math.round((100 * n) / of)} %`);

/** The same for people. */
export function renderFlags({ rows, places, flaggedPlaces, quoted, others }: JudgmentFlags): string[] {
  if (rows === 0) return ['No judgment quotes words of its response, so nothing tells whether judgments flag what they speak of.'];
  const often = quoted.flagged * others.tokens > others.flagged * quoted.tokens;
  return [
    `The untrained model, shown the judgment, flags ${flaggedPlaces} of ${places} quoted places (${share(flaggedPlaces, places)}) in `
      + `${rows} rows: ${share(quoted.flagged, quoted.tokens)} of their tokens, and ${share(others.flagged, others.tokens)} of all others.`,
    ...(often ? [] : ['It flags what is quoted no more often than the rest: such judgments teach this model little or nothing.']),
  ];
}
