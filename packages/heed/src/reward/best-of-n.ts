/**
 * What taking the best of n samples does to a policy π, worked out: where the outcomes and their probabilities are known, exactly; else by
 * bounds (Beirami et al., arXiv 2401.01879).
 */

/**
 * The policy "best of n" over outcomes in rising order of reward: π_bon(y) = F(y)ⁿ − F⁻(y)ⁿ, where F(y) is the probability under π of an
 * outcome that is at most as good as y, and F⁻(y) of one that is worse.
 *
 * @param policy Probability of each outcome under π, in rising order of reward; no two outcomes have the same reward.
 * @throws RangeError where n is no whole number from 1, or the probabilities do not add up to 1
 */
export function bestOfNPolicy(policy: readonly number[], n: number): number[] {
  requireSamples(n);
  const total = policy.reduce((sum, p) => sum + p, 0);
  if (policy.some((p) => !(p >= 0)) || Math.abs(total - 1) > 1e-9) {
    throw new RangeError(`bestOfNPolicy: the probabilities add up to ${total}; expected probabilities that add up to 1`);
  }
  let below = 0;
  return policy.map((p) => {
    const upTo = below + p;
    const chosen = upTo ** n - below ** n;
    below = upTo;
    return chosen;
  });
}

/** An upper bound of KL(π_bon ‖ π) in nats, whatever π and the reward are: log n − (n − 1)/n (Theorem 1 there). It is reached nowhere. */
export function bestOfNKlBound(n: number): number {
  requireSamples(n);
  return Math.log(n) - (n - 1) / n;
}

/** An upper bound of how often the best of n is better than a fresh sample of π: n/(n + 1), reached where no two rewards are equal. */
export function bestOfNWinRateBound(n: number): number {
  requireSamples(n);
  return n / (n + 1);
}

function requireSamples(n: number): void {
  if (!Number.isInteger(n) || n < 1) throw new RangeError(`best of ${n}: n is a whole number from 1`);
}
