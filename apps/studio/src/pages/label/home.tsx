/** What there is to label: sets under way, runs that wait for people, and files. */
import { useRef } from 'preact/hooks';

import type { LabelHome as Home, LabelSetLine, StartedJob, WaitingRun } from '../../api.js';
import { useKeys } from '../../keys.js';
import { complain, say } from '../../parts/notices.js';
import { Failure, Waiting } from '../../parts/state.js';
import { addressOf } from '../../router.js';
import { post, useServer } from '../../server.js';
import { number } from '../../write.js';
import { NewSet } from './new-set.js';
import { TASK_WORDS, openSet } from './open-set.js';
import { who } from './who.js';

export function LabelHome() {
  const { value, error, again } = useServer<Home>('api/label');
  const sets = useRef<HTMLUListElement>(null);
  useKeys({ j: { does: 'first set', run: () => sets.current?.querySelector('a')?.focus() } });
  if (value === undefined) return error ? <Failure error={error} again={again} /> : <Waiting what="Looking for something to label" />;
  const asks = ({ task, files }: LabelSetLine, run: WaitingRun): boolean => task === 'questions' && files[0] === run.questions;
  const waits = value.waiting.filter((run) => !value.sets.some((set) => asks(set, run)));
  return (
    <>
      <div class="head"><h1>Label</h1></div>
      {value.sets.length === 0 && (
        <p class="intro">
          Here people say what they think of answers: which of two is better, what is wrong with one, how it should have been. What you say
          becomes rows to train on, and it shows which of two adapters people prefer. Choose a file below to begin.
        </p>
      )}
      {value.sets.length > 0 && (
        <section aria-label="Sets under way">
          <ul class="sets" ref={sets}>
            {value.sets.map((set) => (
              <SetLine key={set.id} set={set} waiting={value.waiting.find((run) => asks(set, run))} />
            ))}
          </ul>
        </section>
      )}
      {waits.length > 0 && (
        <section aria-label="Runs that wait for people">
          <h2>Runs that wait for people</h2>
          <ul class="sets">
            {waits.map((run) => (
              <li key={`${run.run} ${run.questions}`}>
                <span><b>{run.run}</b> <span class="quiet">{run.open} of {run.total} questions are open in {run.questions}</span></span>
                <button type="button" onClick={() => void openSet({ files: [run.questions], task: 'questions' })}>Answer</button>
              </li>
            ))}
          </ul>
        </section>
      )}
      <NewSet files={value.files} />
      {value.sets.length > 0 && (
        <p class="note">
          Everything is kept in {value.store} of this folder. In a terminal: <code>npx heed rows {value.store}</code>
        </p>
      )}
    </>
  );
}

function SetLine({ set, waiting }: { readonly set: LabelSetLine; readonly waiting?: WaitingRun }) {
  const own = set.people.find((one) => one.who === who.value);
  const done = (own?.given ?? 0) + (own?.skipped ?? 0);
  const others = set.people.filter((one) => one.who !== who.value).map((one) => `${one.who} ${number(one.given)}`);
  return (
    <li>
      <span>
        <a href={addressOf('label', { set: set.id })}>{set.name}</a>{' '}
        <span class="quiet">
          {TASK_WORDS[set.task]} · {number(done)} of {number(set.items)}{others.length > 0 && ` · ${others.join(', ')}`}
        </span>
        {waiting && <Waits run={waiting} />}
      </span>
      <progress max={set.items} value={done} aria-label={`You went through ${done} of ${set.items}`} />
      <a class="button" href={addressOf('label', { set: set.id, show: 'results' })}>Results</a>
    </li>
  );
}

function Waits({ run }: { readonly run: WaitingRun }) {
  const goOn = async (): Promise<void> => {
    try {
      await post<StartedJob>('label/go-on', { run: run.run });
      say(`${run.run} goes on with the answers so far.`);
    } catch (error) {
      complain(error);
    }
  };
  return (
    <span class="waits">
      {run.run} has {run.open === 0 ? 'all answers' : `${run.open} open questions`}.{' '}
      <button type="button" class="small" onClick={() => void goOn()}>Go on with it</button>{' '}
      <span class="quiet">or in {run.folder === '.' ? 'this folder' : run.folder}: <code>{run.command}</code></span>
    </span>
  );
}
