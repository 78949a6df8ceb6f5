/** Whether an answer is good, what is wrong with it in words, and how it should have been. */
import type { MarkedSpan } from '../../api.js';
import { useKeys } from '../../keys.js';
import type { FormProps } from './form.js';
import { quoting, withMark } from './marks.js';
import { Answers, Marks, Prompt } from './texts.js';
import { Written, toField } from './written.js';

const TITLES = ['Answer'];

export function JudgmentForm({ item, work }: FormProps) {
  const { satisfied, judgment = '', spans = [], correction } = work.said;
  const [answer = ''] = item.responses;
  const bad = (): void => { work.change({ satisfied: false }); toField('c'); };
  const good = (): void => work.give({ satisfied: true });
  useKeys({
    1: { does: 'it is good', run: good },
    2: { does: 'it is not good: say why', run: bad },
    0: { does: 'skip', run: work.skip },
    Enter: { does: 'give what is written', run: () => work.give() },
  });
  return (
    <>
      <Prompt prompt={item.prompt} />
      <Answers
        responses={item.responses} titles={TITLES} spans={spans}
        mark={(response, range) => {
          work.change({
            satisfied: satisfied ?? false, spans: withMark(spans, answer, response, range),
            judgment: quoting(judgment, answer.slice(...range)),
          });
          toField('c');
        }}
      />
      <p class="actions verdicts">
        <button type="button" aria-pressed={satisfied === true} onClick={good}>Good as it is <kbd>1</kbd></button>
        <button type="button" aria-pressed={satisfied === false} onClick={bad}>Not good <kbd>2</kbd></button>
      </p>
      <Marks spans={spans} titles={TITLES} remove={(gone: MarkedSpan) => work.change({ spans: spans.filter((one) => one !== gone) })} />
      <Written
        label="Judgment" press="c" rows={3} value={judgment} hint="what is wrong" byKeys="; m quotes the marked words"
        change={(text) => work.change({ judgment: text })} done={() => work.give()}
      />
      <Written
        label="Correction" press="r" rows={correction === undefined ? 1 : 4} value={correction ?? ''}
        hint="the answer as it should have been" start="Start from the answer"
        enter={() => { if (correction === undefined) work.change({ correction: answer }); }}
        change={(text) => work.change({ correction: text })} done={() => work.give({ satisfied: satisfied ?? false })}
      />
      <p class="actions">
        <button type="button" disabled={satisfied === undefined} onClick={() => work.give()}>Give <kbd>Enter</kbd></button>
        <span class="quiet keyboard">in a text <kbd>Ctrl</kbd> <kbd>Enter</kbd></span>
      </p>
    </>
  );
}
