/** Tokens shaded by log q/p: how much likelier a judgment makes them. What is pushed down is underlined too. */
interface Props {
  readonly tokens: readonly string[];
  /** log q/p of each token; null where it was not finite. */
  readonly logRatio: readonly (number | null)[];
  readonly flagged: readonly boolean[];
}

/** A ratio beyond which the shade is full. */
const FULL = 4;

export function MarkedTokens({ tokens, logRatio, flagged }: Props) {
  return (
    <div class="text tokens">
      {tokens.map((token, i) => {
        const value = logRatio[i] ?? null;
        const said = value === null ? 'no number was recorded' : `log q/p ${value > 0 ? '+' : ''}${value.toFixed(3)}`;
        const share = value === null ? 0 : Math.round(100 * Math.min(1, Math.abs(value) / FULL));
        const colour = (value ?? 0) > 0 ? 'var(--more)' : 'var(--less)';
        const style = { backgroundColor: `color-mix(in srgb, ${colour} ${share / 2}%, transparent)` };
        return flagged[i]
          ? <mark key={i} style={style} title={`${said}, pushed down`}>{token}</mark>
          : <span key={i} style={style} title={said}>{token}</span>;
      })}
    </div>
  );
}
