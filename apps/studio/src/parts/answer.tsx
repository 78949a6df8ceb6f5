/** An answer with its verdict, and with what differs from another one. */
import type { Answered } from '../api.js';
import { wordDiff } from '../word-diff.js';

const SIGNS = { good: '✓', bad: '✗', open: '·' } as const;

interface Props {
  readonly title: string;
  readonly answer: Answered | undefined;
  /** The text that it is compared with. `as`: which of the two this answer is. */
  readonly beside?: { readonly text: string; readonly as: 'first' | 'second' };
}

export function Answer({ title, answer, beside }: Props) {
  if (answer === undefined) return <div class="answer"><h3>{title}</h3><p class="quiet">no answer was recorded</p></div>;
  const { text, standing, verdict, reason } = answer;
  return (
    <div class="answer">
      <h3>{title} {verdict && <span class={`chip ${standing}`}><span aria-hidden="true">{SIGNS[standing]}</span> {verdict}</span>}</h3>
      <div class="text">{beside === undefined ? text : <Differing text={text} {...{ beside }} />}</div>
      {reason && <p class="reason">{reason}</p>}
    </div>
  );
}

/** A text in which what the other one lacks is marked, by more than colour. */
function Differing({ text, beside: { text: other, as } }: { readonly text: string; readonly beside: NonNullable<Props['beside']> }) {
  const pieces = as === 'first' ? wordDiff(text, other) : wordDiff(other, text);
  return (
    <>
      {pieces.filter(({ of }) => of === 'both' || of === as).map((piece, i) => {
        if (piece.of === 'both') return piece.text;
        return as === 'first' ? <del key={i}>{piece.text}</del> : <ins key={i}>{piece.text}</ins>;
      })}
    </>
  );
}
