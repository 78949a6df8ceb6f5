/**
 * Advantages from rewards: pure functions over the answers of a round. `groups[i]` names the prompt of answer i. A reward of null could not
 * be given: it takes no part in a mean or a deviation, and its answer gets the advantage 0.
 */

/** What is added to a standard deviation before dividing by it: TRL's number. */
export const STD_EPSILON = 1e-4;

type Rewards = readonly (number | null)[];

const known = (rewards: Rewards): number[] => rewards.filter((reward) => reward !== null);
export const meanOf = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length;

/**
 * Whether numbers are equal but for the rounding of float64. What is left of them after their mean is taken off is then rounding alone,
 * and an optimizer that divides by the gradient's size would follow it as if it were a signal.
 */
const equal = (values: readonly number[]): boolean => {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return high - low <= 1e-12 * Math.max(Math.abs(low), Math.abs(high));
};

/** x − mean of `all`; exactly 0 where all are equal. */
function centring(all: readonly number[]): (x: number) => number {
  if (equal(all)) return () => 0;
  const mean = meanOf(all);
  return (x) => x - mean;
}

/** Sample standard deviation (divided by n − 1); 0 of fewer than two numbers. */
export function sampleStd(values: readonly number[]): number {
  if (values.length < 2) return 0;
  const mean = meanOf(values);
  return Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (values.length - 1));
}

/** The known rewards of each group, by its name. */
function byGroup(rewards: Rewards, groups: readonly number[]): Map<number, number[]> {
  const found = new Map<number, number[]>();
  rewards.forEach((reward, i) => {
    const own = found.get(groups[i]!) ?? [];
    if (reward !== null) own.push(reward);
    found.set(groups[i]!, own);
  });
  return found;
}

const each = (rewards: Rewards, of: (reward: number, i: number) => number): number[] =>
  rewards.map((reward, i) => (reward === null ? 0 : of(reward, i)));

/** r − mean of all rewards: REINFORCE with the batch mean as baseline. */
export function batchMean(rewards: Rewards): number[] {
  return each(rewards, centring(known(rewards)));
}

/**
 * r − mean of the other rewards of its group: RLOO (Ahmadian et al. 2402.14740, Eq. 5), equal to (r − mean) · G/(G − 1). Without bias. 0 in
 * a group of one, which has no others.
 */
export function leaveOneOut(rewards: Rewards, groups: readonly number[]): number[] {
  const own = byGroup(rewards, groups);
  return each(rewards, (reward, i) => {
    const all = own.get(groups[i]!)!;
    if (all.length < 2) return 0;
    return (centring(all)(reward) * all.length) / (all.length - 1);
  });
}

/** What a group's centred rewards are divided by: TRL's `scale_rewards`. */
export type ScaleRewards = 'group' | 'batch' | 'none';

/**
 * (r − mean of its group) / (deviation + 10⁻⁴): GRPO (Shao et al. 2402.03300, section 4.1.2). The deviation is the sample one, of the
 * group, of the whole batch, or not used (`none`, Dr. GRPO: Liu et al. 2503.20783). 0 in a group of one.
 */
export function groupRelative(rewards: Rewards, groups: readonly number[], scale: ScaleRewards): number[] {
  const own = byGroup(rewards, groups);
  const whole = sampleStd(known(rewards));
  return each(rewards, (reward, i) => {
    const all = own.get(groups[i]!)!;
    if (all.length < 2) return 0;
    const centred = centring(all)(reward);
    if (scale === 'none') return centred;
    return centred / ((scale === 'group' ? sampleStd(all) : whole) + STD_EPSILON);
  });
}

/** For each answer, whether the known rewards of its group are all equal: it then teaches nothing by itself. */
export function equalInGroup(rewards: Rewards, groups: readonly number[]): boolean[] {
  const own = byGroup(rewards, groups);
  return groups.map((group) => {
    const all = own.get(group)!;
    return all.every((reward) => Math.abs(reward - all[0]!) <= 1e-8 + 1e-5 * Math.abs(all[0]!));
  });
}

/** Numbers by token, less their mean and divided by their sample deviation (variance + 10⁻⁸), over all tokens of all answers. */
export function whiten(values: readonly (readonly number[])[]): number[][] {
  const all = values.flat();
  const centred = centring(all);
  const scale = Math.sqrt(sampleStd(all) ** 2 + 1e-8);
  return values.map((own) => own.map((x) => centred(x) / scale));
}

/**
 * Generalised advantage estimation (Schulman et al. 1506.02438, Eq. 16): δ_t = r_t + γ V_{t+1} − V_t, Â_t = δ_t + γλ Â_{t+1}, with V = 0
 * behind the last token. The return is Â_t + V_t.
 *
 * @param rewards r_t, the reward that arrives with each token.
 * @param values V_t, the value before each token.
 */
export function gae(
  rewards: readonly number[], values: ArrayLike<number>, { gamma, lambda }: { readonly gamma: number; readonly lambda: number },
): { readonly advantages: number[]; readonly returns: number[] } {
  const advantages = new Array<number>(rewards.length);
  let later = 0;
  for (let t = rewards.length - 1; t >= 0; t--) {
    const next = t + 1 < rewards.length ? values[t + 1]! : 0;
    later = rewards[t]! + gamma * next - values[t]! + gamma * lambda * later;
    advantages[t] = later;
  }
  return { advantages, returns: advantages.map((a, t) => a + values[t]!) };
}

/** Σ_{k ≥ t} r_k for each token t. */
export function rewardToGo(rewards: readonly number[]): number[] {
  const result = rewards.slice();
  for (let t = result.length - 2; t >= 0; t--) result[t]! += result[t + 1]!;
  return result;
}

/** k1 = log π/π_ref of each token: an unbiased estimate of KL(π‖π_ref) on tokens that π sampled (Schulman 2020). */
export const k1 = (logp: ArrayLike<number>, reference: ArrayLike<number>): number[] =>
  Array.from(logp, (x, t) => x - reference[t]!);

/** Σ_t log π/π_ref of an answer, in nats. */
export const klOfAnswer = (logp: ArrayLike<number>, reference: ArrayLike<number>): number =>
  k1(logp, reference).reduce((sum, x) => sum + x, 0);

/** k3 = π_ref/π − log π_ref/π − 1 of each token: never negative, of the same mean on tokens that π sampled. */
export const k3 = (logp: ArrayLike<number>, reference: ArrayLike<number>): number[] =>
  Array.from(logp, (x, t) => Math.exp(reference[t]! - x) - (reference[t]! - x) - 1);
