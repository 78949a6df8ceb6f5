import type { Step } from '../train/trainer.js';

/**
 * Above it sampler and trainer hardly compute one policy: in one precision `mismatch_kl` is below 1e-5, of bfloat16 against float32 some
 * 1e-3.
 */
const LARGE = 0.01;

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
