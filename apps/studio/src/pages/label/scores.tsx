/** How well an answer keeps each principle, in numbers. */
import { useSignal } from '@preact/signals';

import type { MarkedSpan } from '../../api.js';
import { type Shortcuts, useKeys } from '../../keys.js';
import type { FormProps } from './form.js';
import { quoting, withMark } from './marks.js';
import { Answers, Marks, Prompt } from './texts.js';
import { Written, toField } from './written.js';

const TITLES = ['Answer'];

export function ScoresForm({ set: { principles, scale }, item, work }: FormProps) {
  const { scores = {}, judgment = '', spans = [] } = work.said;
  const at = useSignal(Math.max(0, principles.findIndex((name) => scores[name] === undefined)));
  const numbers = Array.from({ length: scale }, (_, i) => i + 1);
  const rate = (name: string, score: number): void => {
    const before = work.latest().scores ?? {};
    const next = { ...before, [name]: score };
    const open = principles.findIndex((one) => next[one] === undefined);
    if (open < 0 && principles.some((one) => before[one] === undefined)) work.give({ scores: next });
    else {
      work.change({ scores: next });
      at.value = Math.max(0, open);
    }
  };
  const keys: Shortcuts = Object.fromEntries(numbers.map((score) => [
    String(score % 10), { does: `score of ${score}`, run: () => rate(principles[at.value]!, score) },
  ]));
  useKeys({
    ...keys, ...(scale < 10 && { 0: { does: 'skip', run: work.skip } }),
    ArrowDown: { does: 'next principle', run: () => { at.value = Math.min(principles.length - 1, at.value + 1); } },
    ArrowUp: { does: 'principle before', run: () => { at.value = Math.max(0, at.value - 1); } },
    Enter: { does: 'give the scores', run: () => work.give() },
  });
  return (
    <>
      <Prompt prompt={item.prompt} />
      <Answers
        responses={item.responses} titles={TITLES} spans={spans}
        mark={(response, range) => {
          const text = item.responses[response]!;
          work.change({ spans: withMark(spans, text, response, range), judgment: quoting(judgment, text.slice(...range)) });
          toField('c');
        }}
      />
      <div class="scores">
        {principles.map((name, i) => (
          <div key={name} role="group" aria-label={name} class={i === at.value ? 'is' : ''}>
            <span class="principle">{name}</span>
            <span class="numbers">
              {numbers.map((score) => (
                <button
                  key={score} type="button" aria-pressed={scores[name] === score} aria-label={`${name}: ${score} of ${scale}`}
                  onClick={() => rate(name, score)}
                >{score}</button>
              ))}
            </span>
          </div>
        ))}
        <p class="quiet">
          From 1 (not at all) to {scale} (in full)
          <span class="keyboard">
            : <kbd>1</kbd> … <kbd>{scale % 10}</kbd> score the marked line, <kbd>↑</kbd> <kbd>↓</kbd> go to another
          </span>.
        </p>
      </div>
      <Marks spans={spans} titles={TITLES} remove={(gone: MarkedSpan) => work.change({ spans: spans.filter((one) => one !== gone) })} />
      <Written label="Reason" press="c" value={judgment} change={(text) => work.change({ judgment: text })} done={() => work.give()} />
      <p class="actions"><button type="button" onClick={() => work.give()}>Give <kbd>Enter</kbd></button></p>
    </>
  );
}
