/** Prompts and answers as people read them: text, never HTML. */
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';

import type { MarkedSpan, Message } from '../../api.js';
import { useKeys } from '../../keys.js';
import { pieces, selectedIn, wordsOf } from './marks.js';

/** The turns before an answer. */
export const Prompt = ({ prompt }: { readonly prompt: readonly Message[] }) => (
  <section class="asked" aria-label="Prompt">
    {prompt.map(({ role, content }, i) => (
      <div key={i} class="turn">
        {(prompt.length > 1 || role !== 'user') && <b class="quiet">{role}</b>}
        <p>{content}</p>
      </div>
    ))}
  </section>
);

type Range = readonly [start: number, end: number];
interface AnswersProps {
  readonly responses: readonly string[];
  readonly titles: readonly string[];
  readonly spans: readonly MarkedSpan[];
  /** The one that is chosen now. */
  readonly chosen?: number;
  readonly mark: (response: number, range: Range) => void;
}

/** One answer, or two beside each other, in which words can be marked: selected by mouse, or picked word by word. */
export function Answers({ responses, titles, spans, chosen, mark }: AnswersProps) {
  const texts = useRef<(HTMLDivElement | null)[]>([]);
  const picking = useSignal<{ readonly response: number; readonly from: number; readonly to: number } | undefined>(undefined);
  useEffect(() => { picking.value = undefined; }, [responses]);
  const pick = (): void => {
    const selected = texts.current.map((element) => (element ? selectedIn(element) : undefined));
    const response = selected.findIndex((range) => range !== undefined);
    if (response >= 0) {
      mark(response, selected[response]!);
      getSelection()?.removeAllRanges();
      return;
    }
    picking.value = { response: 0, from: 0, to: 0 };
    texts.current[0]?.focus();
  };
  useKeys({ m: { does: 'mark the selected words, or pick words by arrows', run: pick } });

  const onKey = (event: KeyboardEvent, response: number): void => {
    const at = picking.value;
    if (at === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    const words = wordsOf(responses[response]!);
    const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (by !== undefined) {
      const to = Math.max(0, Math.min(words.length - 1, at.to + by));
      picking.value = { response, from: event.shiftKey ? at.from : to, to };
    } else if (event.key === 'Enter') {
      const range = rangeOf(words, at);
      if (range) mark(response, range);
      picking.value = undefined;
    } else if (event.key === 'Escape') picking.value = undefined;
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div class={responses.length > 1 ? 'answers two' : 'answers'}>
      {picking.value && (
        <p class="picking quiet" role="status">
          <kbd>←</kbd> <kbd>→</kbd> go from word to word, with <kbd>Shift</kbd> they take more. <kbd>Enter</kbd> marks, <kbd>Esc</kbd> ends.
        </p>
      )}
      {responses.map((text, i) => {
        const at = picking.value?.response === i ? picking.value : undefined;
        const marks = spans.filter(({ response }) => response === i).map(({ start, end }): Range => [start, end]);
        return (
          <section key={i} class={chosen === i ? 'answer is' : 'answer'} aria-label={titles[i]}>
            <h2>{titles[i]}{chosen === i && <span class="quiet"> ✓ chosen</span>}</h2>
            <div
              ref={(element) => { texts.current[i] = element; }} class="text" tabIndex={0} role="group" aria-label={`Text: ${titles[i]}`}
              onKeyDown={(event) => onKey(event, i)}
              onFocus={() => { if (picking.value && picking.value.response !== i) picking.value = { response: i, from: 0, to: 0 }; }}
            >
              {pieces(text, marks, at && rangeOf(wordsOf(text), at)).map((piece, k) => (
                piece.marked || piece.chosen ? <mark key={k} class={piece.chosen ? 'pick' : ''}>{piece.text}</mark> : piece.text
              ))}
            </div>
          </section>
        );
      })}
    </div>
  );
}

function rangeOf(words: readonly Range[], { from, to }: { readonly from: number; readonly to: number }): Range | undefined {
  const [first, last] = [words[Math.min(from, to)], words[Math.max(from, to)]];
  return first && last && [first[0], last[1]];
}

/** The marked words, each with a way to take it away. */
export const Marks = ({ spans, titles, remove }: {
  readonly spans: readonly MarkedSpan[]; readonly titles: readonly string[]; readonly remove: (span: MarkedSpan) => void;
}) => (spans.length === 0 ? null : (
  <ul class="marks" aria-label="Marked words">
    {spans.map((span) => (
      <li key={`${span.response} ${span.start} ${span.end}`}>
        <mark>{span.quote}</mark>{titles.length > 1 && <span class="quiet"> {titles[span.response]}</span>}
        <button type="button" class="plain" aria-label={`Unmark ${span.quote}`} onClick={() => remove(span)}>✕</button>
      </li>
    ))}
  </ul>
));
