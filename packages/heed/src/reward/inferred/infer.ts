import { UserError } from '../../errors.js';
import { type Candidate, type Evidence, itemsOf } from './evidence.js';
import { fit } from './fit.js';
import { type Features, type Scale, scalesOf, standardised } from './measure.js';
import { type Prediction, mostInformative } from './query.js';
import type { Values } from './values-file.js';

/** What values are inferred from. */
export interface Inference {
  readonly evidence: readonly Evidence[];
  readonly features: Features;
  /** Standard deviation of each weight before any evidence. */
  readonly prior: number;
  /** Pairs of which a person may be asked. */
  readonly candidates?: readonly Candidate[];
  /** How many of them are wanted. */
  readonly ask?: number;
}

/** A comparison that a person should make. */
export interface NextQuestion extends Candidate {
  /** What is expected of it: the probability of the first response, the information of the answer. */
  readonly prediction: Prediction;
}

/**
 * Infers what people value from what they did: a normal distribution over the weights of features (`posterior.ts`), and the comparisons
 * that would tell most about them (`query.ts`). Features are measured against the responses of evidence and candidates together.
 *
 * @throws UserError where there are neither evidence nor candidates, or all features are the same for all responses
 */
export async function inferValues(
  { evidence, features, prior, candidates = [], ask = 0 }: Inference,
): Promise<{ readonly values: Values; readonly questions: readonly NextQuestion[] }> {
  const all = [...evidence, ...candidates];
  if (all.length === 0) throw new UserError('There is nothing to infer from.', ['Give rows of evidence, or candidates to ask about.']);
  const asked = candidates.flatMap(({ prompt, responses }) => responses.map((response) => ({ prompt, response })));
  const measured = await features.measure([...evidence.flatMap(itemsOf), ...asked]);
  const scales = scalesOf(measured);
  const known = scales.flatMap((scale, k) => (scale === undefined ? [] : k));
  if (known.length === 0) {
    throw new UserError('All responses have the same features, so that nothing can tell them apart.', ['Take other features: --features.']);
  }
  const used = known.map((k) => scales[k] as Scale);
  const phi = measured.map((row) => standardised(known.map((k) => row[k]!), used));
  let at = 0;
  const vectors = all.map(({ responses }) => phi.slice(at, (at += responses.length)));

  const { mean, covariance, threshold, foresight } = fit(evidence, vectors.slice(0, evidence.length), prior, known.length);
  const pairs = vectors.slice(evidence.length).map(([a, b]) => a!.map((x, k) => x - b![k]!));
  const count = (kind: Evidence['kind']): number => evidence.filter((row) => row.kind === kind).length;
  return {
    values: {
      kind: 'heed values',
      features: known.map((k, i) => {
        const name = features.names[k]!;
        const version = features.versions[name];
        return { name, ...used[i]!, ...(version === undefined ? {} : { version }) };
      }),
      mean: [...mean], covariance: covariance.map((row) => [...row]), threshold, prior,
      evidence: { comparisons: count('comparison'), demonstrations: count('demonstration'), votes: count('vote') },
      unknown: features.names.filter((_, k) => scales[k] === undefined),
      foresight,
    },
    questions: mostInformative({ mean, covariance }, pairs, ask).map(({ index, prediction }) => ({ ...candidates[index]!, prediction })),
  };
}
