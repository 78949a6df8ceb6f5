/** The heat map: log q/p of each token, and which tokens a threshold marks. */
import { useComputed, useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';

import { useKeys } from '../../keys.js';
import { type Token, TokenStrip, visible } from '../../parts/token-strip.js';
import { percent } from '../../write.js';
import { type Known, type Shown, fullShade, isMarked } from './shown.js';

/** λ = 10^(slider / 1000). */
const SLIDER = { most: 1000, of: (lambda: number) => Math.round(1000 * Math.log10(lambda)), to: (at: number) => 10 ** (at / 1000) };
const rounded = (lambda: number): number => Math.round(lambda * 100) / 100;

export function Heat({ shown, first }: { readonly shown: Shown; readonly first: number }) {
  const lambda = useSignal(first);
  const at = useSignal<number | undefined>(undefined);
  const { tokens } = shown;
  useEffect(() => { at.value = undefined; }, [shown]);
  useEffect(() => { lambda.value = first; }, [first]);
  const marks = useComputed(() => tokens.map((token) => isMarked(token, lambda.value)));
  const set = (next: number): void => { lambda.value = Math.max(1, Math.min(10, rounded(next))); };
  const go = (by: number, wanted: (i: number) => boolean = () => true): void => {
    let to = (at.value ?? (by > 0 ? -1 : tokens.length)) + by;
    while (to >= 0 && to < tokens.length && !wanted(to)) to += by;
    if (to >= 0 && to < tokens.length) at.value = to;
  };
  const marked = (i: number): boolean => marks.value[i]!;
  useKeys({
    j: { does: 'next token', run: () => go(1) },
    k: { does: 'token before', run: () => go(-1) },
    n: { does: 'next marked token', run: () => go(1, marked) },
    N: { does: 'marked token before', run: () => go(-1, marked) },
    '+': { does: 'raise λ: fewer tokens are marked', run: () => set(lambda.value * 1.1) },
    '-': { does: 'lower λ: more tokens are marked', run: () => set(lambda.value / 1.1) },
  });
  const full = fullShade(tokens);
  const count = marks.value.filter(Boolean).length;
  const drawn = tokens.map(({ text, ratio, quoted }, i): Token => ({
    text, shade: (ratio ?? 0) / full, marked: marks.value[i], dotted: quoted, says: saidOf(ratio, marks.value[i]!),
  }));
  return (
    <section aria-label="Heat map">
      <div class="lambda">
        <label>
          λ{' '}
          <input
            type="range" min="0" max={SLIDER.most} value={SLIDER.of(lambda.value)} aria-label="λ" aria-valuetext={String(lambda.value)}
            onInput={(event) => set(SLIDER.to(Number(event.currentTarget.value)))}
          />
        </label>
        <input
          type="number" min="1" max="10" step="0.05" value={lambda.value} aria-label="λ as a number"
          onChange={(event) => set(Number(event.currentTarget.value) || 1)}
        />
        <output>q/p &gt; {lambda.value.toFixed(2)}</output>
        <span class="quiet" role="status">
          {count} of {tokens.length} tokens are marked ({percent(count / Math.max(1, tokens.length))})
        </span>
        <span class="quiet"><kbd>−</kbd> <kbd>+</kbd></span>
      </div>
      <p class="legend">
        <span><i class="hot" />likelier once the judgment is read</span> <span><i class="cold" />less likely</span>
        <span><b><u>marked</u></b>: CUT pushes it down</span>
        {tokens.some(({ quoted }) => quoted) && <span>dotted: the judgment quotes it</span>}
        <span>{shown.from}</span>
      </p>
      <TokenStrip label="Tokens of the response" tokens={drawn} at={at.value} look={(i) => { at.value = i; }} />
      <Facts token={at.value === undefined ? undefined : tokens[at.value]} />
      <Quoted tokens={tokens} marks={marks.value} />
    </section>
  );
}

const signed = (x: number): string => `${x < 0 ? '−' : '+'}${Math.abs(x).toFixed(3)}`;
const saidOf = (ratio: number | null, marked: boolean): string =>
  (ratio === null ? 'no number' : `log q/p ${signed(ratio)}${marked ? ', marked' : ''}`);

/** A probability with enough places to tell small ones apart. */
function chance(log: number): string {
  const p = Math.exp(log);
  if (p >= 0.001) return `${(100 * p).toFixed(p >= 0.1 ? 1 : 2)} %`;
  const [digits, power] = p.toExponential(1).split('e-');
  return power === undefined ? '0' : `${digits} · 10⁻${power.replace(/\d/g, (d) => '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(d)]!)}`;
}

function Facts({ token }: { readonly token: Known | undefined }) {
  if (token === undefined) {
    return (
      <p class="token-facts quiet">
        Point at a token, or go through them: <kbd>j</kbd> <kbd>k</kbd>; marked ones: <kbd>n</kbd> <kbd>N</kbd>
      </p>
    );
  }
  const { text, ratio, logp, logq } = token;
  return (
    <dl class="token-facts">
      <div><dt>token</dt><dd><b>{visible(text)}</b></dd></div>
      {ratio !== null && <div><dt>q/p</dt><dd>{Math.exp(ratio).toPrecision(3)}</dd></div>}
      <div><dt>log q/p</dt><dd>{ratio === null ? 'not a finite number' : signed(ratio)}</dd></div>
      {logp !== undefined && <div><dt>p, without the judgment</dt><dd>{chance(logp)}</dd></div>}
      {logq !== undefined && <div><dt>q, with it</dt><dd>{chance(logq)}</dd></div>}
    </dl>
  );
}

/** Whether the marks find what the judgment quotes. */
function Quoted({ tokens, marks }: { readonly tokens: readonly Known[]; readonly marks: readonly boolean[] }) {
  const share = (quoted: boolean): string => {
    const own = tokens.flatMap((token, i) => (token.quoted === quoted ? [marks[i]!] : []));
    return own.length === 0 ? '–' : percent(own.filter(Boolean).length / own.length);
  };
  if (!tokens.some(({ quoted }) => quoted)) return null;
  return <p class="note">Marked: {share(true)} of the tokens that the judgment quotes, {share(false)} of all others.</p>;
}
