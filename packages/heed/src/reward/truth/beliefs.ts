/**
 * Beliefs: what was claimed in a dialogue, with a confidence that evidence moves. To the log-odds of a claim each piece of evidence adds
 * the logarithm of its likelihood ratio.
 */
import { sigmoid } from '../fit/logistic.js';
import { type Statement, statementRelation, statementsOf } from './statements.js';

/** Evidence for or against a claim, and how many times likelier it is where the claim is true than where it is false. */
export const LIKELIHOOD_RATIOS = {
  /** A passage that says the same, or the contrary. */
  supported: 6, refuted: 1 / 8,
  /** The other speaker denies it: with a reason or without one. The latter is near 1, or whoever insists would win. */
  deniedWithReason: 1 / 4, denied: 1 / 1.5,
  confirmed: 2,
  /** The same speaker contradicts it later: both claims become less likely. */
  contradicted: 1 / 2,
  /** Another sample of the same speaker says the same, or something else. */
  resampled: 1.5, differed: 1 / 1.5,
} as const;
export type Evidence = keyof typeof LIKELIHOOD_RATIOS;

/** Log-odds stay within ± 4, a confidence of .018 to .982. */
const BOUND = 4;

export interface Belief {
  readonly statement: Statement;
  readonly turn: number;
  readonly confidence: number;
  readonly history: readonly { readonly evidence: Evidence; readonly confidence: number }[];
}

const logit = (p: number): number => Math.log(p / (1 - p));

/** A confidence after evidence with a likelihood ratio. */
export const updated = (confidence: number, ratio: number): number =>
  sigmoid(Math.max(-BOUND, Math.min(BOUND, logit(confidence) + Math.log(ratio))));

export const withEvidence = (belief: Belief, evidence: Evidence): Belief => {
  const confidence = updated(belief.confidence, LIKELIHOOD_RATIOS[evidence]);
  return { ...belief, confidence, history: [...belief.history, { evidence, confidence }] };
};

/** What to do with a claim: state it, say it with a doubt, or take it back and name it. */
export function actOn({ confidence }: Belief): 'state' | 'hedge' | 'takeBack' {
  if (confidence >= 0.8) return 'state';
  return confidence >= 0.4 ? 'hedge' : 'takeBack';
}

/**
 * What was claimed so far, with a new turn of the same speaker.
 *
 * @param start The confidence of a new claim, which is kept within the bounds. Default: 0.7.
 */
export function claimed(
  beliefs: readonly Belief[], text: string, turn: number, start: number | ((statement: Statement) => number) = 0.7,
): Belief[] {
  let known = [...beliefs];
  for (const statement of statementsOf(text)) {
    const relations = known.map((belief) => statementRelation(belief.statement, statement));
    const against = relations.includes('contradict');
    known = known.map((belief, i) => (relations[i] === 'contradict' ? withEvidence(belief, 'contradicted') : belief));
    if (relations.includes('entail') && !against) continue;
    const confidence = updated(typeof start === 'number' ? start : start(statement), 1);
    const fresh: Belief = { statement, turn, confidence, history: [] };
    known.push(against ? withEvidence(fresh, 'contradicted') : fresh);
  }
  return known;
}
