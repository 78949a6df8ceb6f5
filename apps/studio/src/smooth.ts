/**
 * An exponential moving average without the pull of its start: m_t = s·m_{t−1} + (1−s)·y_t, divided by 1 − s^t (Kingma & Ba 2015, §3).
 * It runs over the points that are shown; points without a number are passed over.
 *
 * @param strength s, from 0 (none) to below 1
 */
export function smooth(values: readonly (number | null)[], strength: number): (number | null)[] {
  let [mean, weight] = [0, 1];
  return values.map((value) => {
    if (value === null) return null;
    mean = strength * mean + (1 - strength) * value;
    weight *= strength;
    return mean / (1 - weight);
  });
}
