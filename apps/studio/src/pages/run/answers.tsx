/** What the model said before and after, prompt by prompt. */
import { useSignal } from '@preact/signals';

import type { AnswerPair, AnswerPart } from '../../api.js';
import { useKeys } from '../../keys.js';
import { Answer } from '../../parts/answer.js';
import { Choices } from '../../parts/choices.js';
import { More, useList } from '../../parts/more.js';
import { Failure, Waiting } from '../../parts/state.js';
import { place, setParams } from '../../router.js';
import { apiUrl } from '../../server.js';

type Change = AnswerPair['change'];
const TITLES: Readonly<Record<Change, string>> = { worse: 'worse', better: 'better', open: 'not decided', same: 'as before' };

export function RunAnswers({ run, count }: { readonly run: string; readonly count: number }) {
  const marked = useSignal(true);
  const change = (place.value.params.get('change') ?? undefined) as Change | undefined;
  const { part, error, more } = useList<AnswerPair, AnswerPart>(apiUrl('run/answers', { run, change }), 20, count);
  useKeys({ d: { does: 'mark what differs, or not', run: () => { marked.value = !marked.value; } } });
  if (error) return <Failure error={error} />;
  if (part === undefined) return <Waiting what="Reading the answers" />;
  const { counts, items, total } = part;
  const all = Object.values(counts).reduce((sum, n) => sum + n, 0);
  if (all === 0) {
    return <p class="quiet">No answer is written yet. A run answers its held-out prompts before its first step and after its last.</p>;
  }
  const kinds = (Object.keys(TITLES) as Change[]).filter((kind) => counts[kind] > 0);
  return (
    <>
      <div class="controls">
        <Choices
          label="Answers" chosen={change ?? 'all'} choose={(id) => setParams({ change: id === 'all' ? undefined : id })}
          choices={[{ id: 'all', title: 'all', count: all }, ...kinds.map((id) => ({ id, title: TITLES[id], count: counts[id] }))]}
        />
        <label>
          <input type="checkbox" checked={marked.value} onChange={() => { marked.value = !marked.value; }} /> Mark what differs <kbd>d</kbd>
        </label>
      </div>
      {items.map((pair) => <Pair key={pair.id} pair={pair} marked={marked.value} />)}
      <More shown={items.length} total={total} more={more} />
    </>
  );
}

function Pair({ pair: { id, prompt, before, after }, marked }: { readonly pair: AnswerPair; readonly marked: boolean }) {
  const both = marked && before !== undefined && after !== undefined;
  return (
    <article class="pair">
      <p class="prompt"><span class="quiet">{id}</span> {prompt}</p>
      <div class="sides">
        <Answer title="before" answer={before} beside={both ? { text: after.text, as: 'first' } : undefined} />
        <Answer title="after" answer={after} beside={both ? { text: before.text, as: 'second' } : undefined} />
      </div>
    </article>
  );
}
