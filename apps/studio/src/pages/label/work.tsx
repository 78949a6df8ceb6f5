/** One item after the other: shown, judged by keys, kept at once. */
import type { LabelSetLine, ShownItem, Task } from '../../api.js';
import { useKeys } from '../../keys.js';
import { Failure, Waiting } from '../../parts/state.js';
import { addressOf, place } from '../../router.js';
import { clock, number } from '../../write.js';
import type { FormProps } from './form.js';
import { JudgmentForm } from './judgment.js';
import { type Labelling, useLabelling } from './labelling.js';
import { PairForm } from './pair.js';
import { QuestionForm } from './question.js';
import { ScoresForm } from './scores.js';
import { setWho } from './who.js';
import { Written } from './written.js';

const FORMS: Readonly<Record<Task, (props: FormProps) => preact.JSX.Element>> = {
  pairs: PairForm, judgment: JudgmentForm, scores: ScoresForm, questions: QuestionForm,
};

export function Work({ id, who }: { readonly id: string; readonly who: string }) {
  const at = place.value.params.get('at');
  const work = useLabelling(id, who, at === null ? undefined : Number(at));
  const { set, item, error } = work;
  useKeys({
    s: { does: 'skip', run: work.skip },
    u: { does: 'undo: take back the last one', run: work.undo },
    j: { does: 'next item', run: () => { if (set && item && item.place + 1 < set.items) work.visit(item.place + 1); } },
    k: { does: 'item before', run: () => { if (item && item.place > 0) work.visit(item.place - 1); } },
  });
  if (set === undefined) return error ? <Failure error={error} /> : <Waiting what="Opening the set" />;
  const Form = FORMS[set.task];
  return (
    <article class="labelling">
      <Head set={set} who={who} item={item} />
      {item === undefined ? <Done set={set} work={work} /> : (
        <>
          <Form key={item.place} set={set} item={item} work={work} />
          <Written
            label="Note" press="n" rows={1} value={work.said.note ?? ''} hint="for those who label; it becomes part of no row"
            change={(note) => work.change({ note })} done={() => work.give()}
          />
          <p class="actions">
            <button type="button" onClick={work.skip}>Skip <kbd>{set.task === 'scores' && set.scale === 10 ? 's' : '0'}</kbd></button>
            <button type="button" onClick={work.undo}>Undo <kbd>u</kbd></button>
            <button type="button" class="plain" onClick={() => item.place > 0 && work.visit(item.place - 1)}>Before <kbd>k</kbd></button>
            <button type="button" class="plain" onClick={() => item.place + 1 < set.items && work.visit(item.place + 1)}>
              Next <kbd>j</kbd>
            </button>
          </p>
        </>
      )}
    </article>
  );
}

function Head({ set, who, item }: { readonly set: LabelSetLine; readonly who: string; readonly item?: ShownItem }) {
  const own = set.people.find((one) => one.who === who);
  const done = (own?.given ?? 0) + (own?.skipped ?? 0);
  const left = own?.pace === undefined ? undefined : own.pace * (set.items - done);
  const state = item?.state === 'skipped' ? 'skipped' : 'given';
  return (
    <header class="set">
      <h1>{set.name}</h1>
      <progress max={set.items} value={done} aria-label="Items that you went through" />
      <p class="quiet">
        {number(done)} of {number(set.items)}
        {own !== undefined && own.skipped > 0 && ` (${own.skipped} skipped)`}
        {own?.pace !== undefined && ` · ${own.pace.toFixed(own.pace < 10 ? 1 : 0)} s an item`}
        {left !== undefined && left > 0 && ` · about ${clock(Math.round(left))} left`}
        {item && ` · item ${item.place + 1}${item.row === undefined ? '' : `, ${item.row}`}`}
        {item?.state && <b> · you have {state} it; a new answer replaces that</b>}
        {' · '}{who} <button type="button" class="plain small" onClick={() => setWho('')}>not you?</button>
      </p>
    </header>
  );
}

const Done = ({ set, work }: { readonly set: LabelSetLine; readonly work: Labelling }) => (
  <div class="intro">
    <p>You went through {set.items === 1 ? 'the one item' : `all ${number(set.items)} items`}. Thank you.</p>
    <p class="actions">
      <a class="button" href={addressOf('label', { set: set.id, show: 'results' })}>Results <kbd>a</kbd></a>
      <button type="button" onClick={work.undo}>Undo <kbd>u</kbd></button>
    </p>
    {set.task === 'questions' && (
      <p>
        Your answers are in {set.files[0]}. <a href={addressOf('label')}>All sets</a> shows the run that waited for them, and goes on
        with it.
      </p>
    )}
  </div>
);
