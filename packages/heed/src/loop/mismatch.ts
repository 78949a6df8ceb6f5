import type { Step } from '../train/trainer.js';

/**
 * Above it sampler and trainer hardly compute one policy. In one precision `mismatch_kl` is below 1e-5; a server that kept
 * the base of SmolLM2-135M was at 0.0014, 0.0042 and 0.0080 after 1, 2 and 3 steps at 3e-4.
 */
const LARGE = 0.003;

/**
 * Says where what sampled a round's answers is not the policy that learns from them, once a round.
 *
 * @param served Whether servers sample.
 */
export function watchMismatch(say: (line: string) => void, served: boolean): (step: Pick<Step, 'step' | 'ofRound' | 'metrics'>) => void {
  let said = 0;
  return ({ step, ofRound, metrics }) => {
    const { mismatch_kl: mismatch = 0 } = metrics;
    const begun = step - ofRound;
    if (!(mismatch > LARGE) || said > begun) return;
    said = step;
    const who = served
      ? 'a server may have kept an older adapter, serve another base, or compute in a much lower precision'
      : 'generator and trainer disagree';
    say(`step ${step}: mismatch_kl is ${mismatch.toPrecision(2)}, and near 0 where answers are sampled by the policy that learns: ${who}.`);
  };
}
