/** The methods that fit, how the rows are split, and what the doctor finds in them. */
import type { LookPlan, Speaker } from '../../api.js';
import { counted, number } from '../../write.js';
import type { Told } from './told.js';
import { Remarks } from './remarks.js';

interface Props {
  readonly plan: LookPlan;
  readonly tell: (more: Told) => void;
  readonly bases: readonly Speaker[];
  readonly speaker: string;
  readonly choose: (id: string) => void;
}

const GROUPS = {
  conversation: 'no conversation in both', user: 'no user in both', date: 'the newest rows', prompt: 'no prompt in both',
} as const;

export function Methods({ plan, tell, bases, speaker, choose }: Props) {
  const { fits, method, train, heldOut, group, words, counts, findings } = plan;
  const others = Object.entries(counts).filter(([name]) => name !== 'train' && name !== 'eval');
  return (
    <section class="step" aria-label="Methods">
      <h2>What it can teach</h2>
      <fieldset class="methods">
        <legend class="unseen">Method</legend>
        {fits.map((fit) => (
          <label key={fit.method}>
            <input type="radio" name="method" checked={fit.method === method} onChange={() => tell({ method: fit.method })} />
            <b>{fit.method}</b> <span>{fit.why} <span class="quiet">· {counted(fit.rows, `${fit.kind} row`)}</span></span>
          </label>
        ))}
      </fieldset>
      <div class="controls">
        <label>
          Model{' '}
          <select value={speaker} onChange={(event) => choose(event.currentTarget.value)}>
            {bases.map(({ id, title }) => <option key={id} value={id}>{title}</option>)}
          </select>
        </label>
        <label>
          Held out{' '}
          <select value={group} onChange={(event) => tell({ group: event.currentTarget.value as LookPlan['group'] })}>
            {Object.entries(GROUPS).map(([id, says]) => <option key={id} value={id}>{says}</option>)}
          </select>
        </label>
      </div>
      <p>
        <b>{number(train)}</b> rows to train on, <b>{number(heldOut)}</b> held out.{' '}
        {words.good !== undefined && words.bad !== undefined && (
          <>Good answers have {number(words.good)} words, bad ones {number(words.bad)} (medians). </>
        )}
        <span class="quiet">{others.map(([name, n]) => `${number(n)} ${name}`).join(' · ')}</span>
      </p>
      {findings.length > 0
        ? <Remarks title="What the doctor finds" remarks={findings} />
        : <p class="note">The doctor finds nothing in these rows that would spoil training.</p>}
    </section>
  );
}
