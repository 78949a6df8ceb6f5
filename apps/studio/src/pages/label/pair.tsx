/** Which of two answers is better. */
import type { MarkedSpan } from '../../api.js';
import { useKeys } from '../../keys.js';
import type { FormProps } from './form.js';
import { quoting, withMark } from './marks.js';
import { Answers, Marks, Prompt } from './texts.js';
import { Written, toField } from './written.js';

const TITLES = ['Left', 'Right'];
const CHOICES = [
  { key: '1', choice: 0, text: 'Left is better' }, { key: '2', choice: 1, text: 'Right is better' },
  { key: '3', choice: 'tie', text: 'Neither' },
] as const;

export function PairForm({ item, work }: FormProps) {
  const { choice, judgment = '', spans = [] } = work.said;
  useKeys({
    ...Object.fromEntries(CHOICES.map((one) => [one.key, { does: one.text.toLowerCase(), run: () => work.give({ choice: one.choice }) }])),
    0: { does: 'skip', run: work.skip },
  });
  return (
    <>
      <Prompt prompt={item.prompt} />
      <Answers
        responses={item.responses} titles={TITLES} spans={spans} chosen={typeof choice === 'number' ? choice : undefined}
        mark={(response, range) => {
          const text = item.responses[response]!;
          work.change({ spans: withMark(spans, text, response, range), judgment: quoting(judgment, text.slice(...range)) });
          toField('c');
        }}
      />
      <p class="actions verdicts">
        {CHOICES.map((one) => (
          <button key={one.key} type="button" aria-pressed={choice === one.choice} onClick={() => work.give({ choice: one.choice })}>
            {one.text} <kbd>{one.key}</kbd>
          </button>
        ))}
      </p>
      <Marks spans={spans} titles={TITLES} remove={(gone: MarkedSpan) => work.change({ spans: spans.filter((one) => one !== gone) })} />
      <Written
        label="Reason" press="c" value={judgment} hint="before the vote, if there is one" byKeys="; Esc leaves the text"
        change={(text) => work.change({ judgment: text })} done={() => { if (choice !== undefined) work.give(); }}
      />
    </>
  );
}
