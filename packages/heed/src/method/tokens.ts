import {
  type Tensor, abs, add, concat, detach, div, exp, greater, log1mexp, mul, neg, plus, split, sub, sum, toFloat, where, zeros,
} from '@heed/tensor';

/**
 * A number for each supervised token of one named sequence of each row, [B, T] (or [B, K, T] for K sequences a row). This is
 * the one place that knows of padding: it holds 0 there, and sums and counts leave it out. A row without the sequence has no tokens.
 */
export class Tokens {
  /** `values` must be 0 where `mask` is; the constructor's callers see to it. */
  constructor(readonly values: Tensor, readonly mask: Tensor) {}

  /** The same tokens with other numbers; what `f` makes of padding is zeroed again. */
  map(f: (x: Tensor) => Tensor): Tokens {
    return new Tokens(mul(f(this.values), this.mask), this.mask);
  }
  /** Token by token with another sequence of the same length (same response under another prompt). */
  with(other: Tokens, f: (a: Tensor, b: Tensor) => Tensor): Tokens {
    return new Tokens(mul(f(this.values, other.values), this.mask), this.mask);
  }
  add(other: Tokens | number): Tokens {
    return typeof other === 'number' ? this.map((x) => add(x, other)) : this.with(other, add);
  }
  sub(other: Tokens | number): Tokens {
    return typeof other === 'number' ? this.map((x) => sub(x, other)) : this.with(other, sub);
  }
  mul(other: Tokens | number): Tokens {
    return typeof other === 'number' ? this.map((x) => mul(x, other)) : this.with(other, mul);
  }
  neg(): Tokens {
    return this.map(neg);
  }
  exp(): Tokens {
    return this.map(exp);
  }
  abs(): Tokens {
    return this.map(abs);
  }
  /** For log-probabilities: log(1 − p). Finite also at p = 1, where p is taken as 1 − 10⁻⁶. */
  log1mexp(): Tokens {
    return this.map((x) => log1mexp(x));
  }
  /** 1 where the number is larger, else 0; no gradient. */
  greater(bound: number): Tokens {
    return this.map((x) => toFloat(greater(x, bound)));
  }
  /** Where these are 1: `yes`, elsewhere `no`. */
  choose(yes: Tokens, no: Tokens): Tokens {
    return new Tokens(where(greater(this.values, 0.5), yes.values, no.values), this.mask);
  }
  /** 1 for the last token of each sequence (of a response: its end of turn), else 0. */
  last(): Tokens {
    const axis = this.mask.shape.length - 1;
    const [first, rest] = split(this.mask, axis, [1, plus(this.mask.shape[axis]!, -1)]) as [Tensor, Tensor];
    return new Tokens(mul(this.mask, sub(1, concat([rest, zeros(first.shape)], axis))), this.mask);
  }
  detach(): Tokens {
    return new Tokens(detach(this.values), this.mask);
  }
  /** Σ over the tokens of each sequence, [B] (or [B, K]); 0 for an absent one. */
  sum(): Tensor {
    return sum(this.values, [-1]);
  }
  /** Supervised tokens of each sequence, [B] (or [B, K]). */
  count(): Tensor {
    return sum(this.mask, [-1]);
  }
  /** 1 for each sequence that is there, else 0: [B] (or [B, K]). */
  present(): Tensor {
    return toFloat(greater(this.count(), 0.5));
  }
  /** Mean over the tokens of each sequence; 0 for an absent one. */
  mean(): Tensor {
    const n = this.count();
    return div(this.sum(), where(greater(n, 0.5), n, 1));
  }
}
