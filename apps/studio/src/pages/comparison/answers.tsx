/** Answers to the same prompts, side by side: wins and losses first. */
import { useSignal } from '@preact/signals';
import { useCallback, useRef } from 'preact/hooks';

import type { ComparedAnswer, ComparedAnswers, ComparedShow, Side } from '../../api.js';
import { useKeys } from '../../keys.js';
import { Answer } from '../../parts/answer.js';
import { Choices } from '../../parts/choices.js';
import { More, useList } from '../../parts/more.js';
import { Failure, Waiting } from '../../parts/state.js';
import { place, setParams } from '../../router.js';
import { queryOf, titleOf } from '../../sides.js';

const SHOWS: readonly { readonly id: ComparedShow; readonly title: string }[] = [
  { id: 'all', title: 'all' }, { id: 'wins', title: 'wins' }, { id: 'losses', title: 'losses' }, { id: 'different', title: 'different' },
];
const OUTCOMES = { better: ' ▲ better', worse: ' ▼ worse', same: '', open: '' } as const;

export function ComparedAnswerList({ sides }: { readonly sides: readonly Side[] }) {
  const marked = useSignal(true);
  const list = useRef<HTMLDivElement>(null);
  const at = useRef(-1);
  const given = place.value.params.get('answers');
  const show = SHOWS.find(({ id }) => id === given)?.id ?? 'all';
  const choose = (id: ComparedShow): void => setParams({ answers: id === 'all' ? undefined : id });
  const { part, error, more } = useList<ComparedAnswer, ComparedAnswers>(`api/compare/answers?${queryOf(sides)}&show=${show}`, 10, 0);
  const move = useCallback((by: number) => {
    const all = [...(list.current?.querySelectorAll<HTMLElement>('article') ?? [])];
    at.current = Math.max(0, Math.min(all.length - 1, at.current + by));
    all[at.current]?.focus();
    all[at.current]?.scrollIntoView({ block: 'start' });
  }, []);
  useKeys({
    j: { does: 'next prompt', run: () => move(1) },
    k: { does: 'prompt before', run: () => move(-1) },
    d: { does: 'mark what differs from the baseline, or not', run: () => { marked.value = !marked.value; } },
    w: { does: 'wins', run: () => choose('wins') }, l: { does: 'losses', run: () => choose('losses') },
    f: { does: 'different answers', run: () => choose('different') }, a: { does: 'all answers', run: () => choose('all') },
  });
  if (error) return <Failure error={error} />;
  if (part === undefined) return <Waiting what="Reading the answers" />;
  const { counts, items, total } = part;
  if (counts.all === 0) return <p class="quiet">There is no prompt that every one of them answered.</p>;
  return (
    <div ref={list}>
      <div class="controls">
        <Choices label="Answers" chosen={show} choose={choose} choices={SHOWS.map((one) => ({ ...one, count: counts[one.id] }))} />
        <label>
          <input type="checkbox" checked={marked.value} onChange={() => { marked.value = !marked.value; }} /> Mark what differs <kbd>d</kbd>
        </label>
        <span class="quiet keyboard"><kbd>j</kbd> <kbd>k</kbd> next, before</span>
      </div>
      {items.length === 0 && <p class="quiet">There is none.</p>}
      {items.map((one) => <Prompt key={`${one.id} ${one.prompt}`} of={one} sides={sides} marked={marked.value} />)}
      <More shown={items.length} total={total} more={more} />
    </div>
  );
}

function Prompt({ of: { id, prompt, answers }, sides, marked }: {
  readonly of: ComparedAnswer; readonly sides: readonly Side[]; readonly marked: boolean;
}) {
  const [baseline] = answers;
  return (
    <article class="pair" tabIndex={-1}>
      <p class="prompt"><span class="quiet">{id}</span> {prompt}</p>
      <div class="sides">
        {answers.map((answer, i) => (
          <Answer
            key={sides[i]} title={`${titleOf(sides[i]!, sides)}${OUTCOMES[answer.outcome]}`} answer={answer}
            beside={marked && i > 0 ? { text: baseline!.text, as: 'second' } : undefined}
          />
        ))}
      </div>
    </article>
  );
}
