/** An answer that the model wrote to be learnt from; `finish` as a generator reports it. */
export interface Made {
  readonly text: string;
  readonly finish: 'stop' | 'length';
}

/** `same`: it repeats the bad answer. `cut-off`: it was not ended by the model. */
export type Unusable = 'empty' | 'same' | 'cut-off';

/** Why a refinement of `bad`, or a positive beside it, cannot be learnt from; undefined where it can. White space is no difference. */
export function whyUnusable({ text, finish }: Made, bad: string): Unusable | undefined {
  if (plain(text) === '') return 'empty';
  if (plain(text) === plain(bad)) return 'same';
  return finish === 'length' ? 'cut-off' : undefined;
}

/** Texts that can be learnt from, trimmed, in their order, and how many were dropped for which reason. */
export interface Sifted {
  readonly kept: readonly string[];
  readonly dropped: Readonly<Record<Unusable, number>>;
}

/** Keeps what can be learnt from. */
export function sift(made: readonly Made[], bad: string): Sifted {
  const kept: string[] = [];
  const dropped = { empty: 0, same: 0, 'cut-off': 0 };
  for (const one of made) {
    const reason = whyUnusable(one, bad);
    if (reason === undefined) kept.push(one.text.trim());
    else dropped[reason]++;
  }
  return { kept, dropped };
}

const plain = (text: string): string => text.trim().replace(/\s+/g, ' ');
