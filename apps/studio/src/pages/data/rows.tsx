/** Rows as the model sees them. */
import { useSignal } from '@preact/signals';

import type { LookRequest, SeenRow, SeenRows, SeenTokens } from '../../api.js';
import { Failure, Waiting } from '../../parts/state.js';
import { TokenStrip } from '../../parts/token-strip.js';
import { usePosted } from '../../server.js';
import { number } from '../../write.js';

const SIZE = 2;

export function Rows({ ask }: { readonly ask: LookRequest }) {
  const from = useSignal(0);
  const { value, error, waits } = usePosted<SeenRows>('data/rows', { ...ask, offset: from.value, limit: SIZE });
  const { lengths } = value ?? {};
  const turn = (by: number): void => { from.value = Math.max(0, from.value + by); };
  return (
    <section class="step" aria-label="Rows as the model sees them">
      <h2>What the model sees</h2>
      {error && <Failure error={error} />}
      {value === undefined && waits && <Waiting what="Reading the model's tokenizer" />}
      {value && (
        <>
          <p class="legend">
            <span><i class="learned" />learned</span> <span>plain: given</span> <span>a thin line ends each token</span>
            <span>{value.template} template</span>
          </p>
          {lengths && (
            <p class="note">
              Of the first {number(lengths.rows)} rows the median has {number(lengths.median)} tokens, 95 % have at
              most {number(lengths.p95)}, the longest has {number(lengths.max)}; the model reads {number(lengths.context)}.
            </p>
          )}
          {value.rows.map((row) => <Row key={row.where} row={row} />)}
          <p class="actions">
            <button type="button" disabled={from.value === 0} onClick={() => turn(-SIZE)}>Before</button>
            <button type="button" disabled={from.value + SIZE >= value.total} onClick={() => turn(SIZE)}>Next</button>
            <span class="quiet">rows {from.value + 1} to {Math.min(value.total, from.value + SIZE)} of {number(value.total)}</span>
          </p>
        </>
      )}
    </section>
  );
}

function Row({ row: { where, numbers, sequences, problem } }: { readonly row: SeenRow }) {
  return (
    <article class="seen">
      <h3>{where} {Object.entries(numbers).map(([name, value]) => <span key={name} class="quiet">{name} {value}</span>)}</h3>
      {problem && <p class="failure">{problem}</p>}
      {sequences.map((sequence) => <Sequence key={sequence.name} sequence={sequence} />)}
    </article>
  );
}

function Sequence({ sequence: { name, texts, supervised, promptTokens } }: { readonly sequence: SeenTokens }) {
  const at = useSignal<number | undefined>(undefined);
  const learned = supervised.filter(Boolean).length;
  return (
    <>
      <p class="note">
        <b>{name}</b>: {promptTokens} prompt + {texts.length - promptTokens} response tokens, {learned} learned
      </p>
      <TokenStrip
        label={name} at={at.value} look={(i) => { at.value = i; }}
        tokens={texts.map((text, i) => ({ text, shade: 0, learned: supervised[i]!, says: supervised[i] ? 'learned' : 'given' }))}
      />
    </>
  );
}
