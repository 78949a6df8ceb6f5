export interface ScheduleOptions {
  readonly learningRate: number;
  readonly schedule: 'cosine' | 'linear' | 'constant';
  /** Below 1: a fraction of all steps. From 1: a number of steps. */
  readonly warmup: number;
}

/** The learning rate of step 1…total: a linear warm-up, then a cosine or a line down to 0, or constant. As in transformers. */
export function learningRateAt(step: number, total: number, { learningRate, schedule, warmup }: ScheduleOptions): number {
  const warm = warmup < 1 ? Math.ceil(warmup * total) : warmup;
  const done = step - 1; // transformers' schedulers count the steps before this one
  if (done < warm) return (learningRate * done) / Math.max(1, warm);
  const progress = (done - warm) / Math.max(1, total - warm);
  switch (schedule) {
    case 'constant':
      return learningRate;
    case 'linear':
      return learningRate * Math.max(0, 1 - progress);
    case 'cosine':
      return learningRate * 0.5 * (1 + Math.cos(Math.PI * progress));
  }
}
