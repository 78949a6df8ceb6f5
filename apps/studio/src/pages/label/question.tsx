/** A question that a run asks people. */
import { useEffect } from 'preact/hooks';

import { type Shortcuts, useKeys } from '../../keys.js';
import type { FormProps } from './form.js';
import { Prompt } from './texts.js';
import { Written, toField } from './written.js';

export function QuestionForm({ item, work }: FormProps) {
  const { answers } = item;
  const { answer = '' } = work.said;
  const keyed = (answers ?? []).slice(0, 10).map((text, i) => ({ text, key: String((i + 1) % 10) }));
  const keys: Shortcuts = Object.fromEntries(keyed.map(({ text, key }) => [
    key, { does: `answer ${text}`, run: () => work.give({ answer: text }) },
  ]));
  useKeys({
    ...(keyed.length < 10 && { 0: { does: 'skip', run: work.skip } }), ...keys,
    ...(answers === undefined && { Enter: { does: 'give the answer', run: () => work.give() } }),
  });
  useEffect(() => { if (answers === undefined) toField('c'); }, []);
  return (
    <>
      <Prompt prompt={item.prompt} />
      {item.begun !== undefined && <p class="quiet">The answer begins: {item.begun}</p>}
      {answers === undefined ? (
        <>
          <Written
            label="Answer" press="c" rows={4} value={answer} byKeys=" Ctrl+Enter gives it" change={(text) => work.change({ answer: text })}
            done={() => work.give()}
          />
          <p class="actions"><button type="button" onClick={() => work.give()}>Give <kbd>Enter</kbd></button></p>
        </>
      ) : (
        <p class="actions verdicts">
          {answers.map((text, i) => (
            <button key={text} type="button" aria-pressed={answer === text} onClick={() => work.give({ answer: text })}>
              {text} {keyed[i] && <kbd>{keyed[i].key}</kbd>}
            </button>
          ))}
        </p>
      )}
    </>
  );
}
