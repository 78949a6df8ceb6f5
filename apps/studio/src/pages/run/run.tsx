/** One run: how it is, what can be done with it, and what is in its folder. */
import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';

import type { RunDetail, SampleCounts } from '../../api.js';
import { useKeys } from '../../keys.js';
import { Headline, MeasurementTable } from '../../parts/measured.js';
import { Failure, Waiting } from '../../parts/state.js';
import { Status } from '../../parts/status.js';
import { addressOf, go, place, setParams } from '../../router.js';
import { apiUrl, useServer } from '../../server.js';
import { ago, clock, counted, moment, nameOf, number } from '../../write.js';
import { RunActions } from './actions.js';
import { RunAnswers } from './answers.js';
import { RunCurves } from './curves.js';
import { Heatmaps } from './heatmaps.js';
import { useLiveRun } from './live.js';
import { Rollouts } from './rollouts.js';

/** A part of the page, with the key that shows it. */
interface Part { readonly id: string; readonly title: string; readonly count?: number; readonly view: () => ComponentChildren }

const numberIn = (name: string): number | undefined => {
  const text = place.value.params.get(name);
  return text === null ? undefined : Number(text);
};

export function OpenedRun({ run }: { readonly run: string }) {
  const [from, to] = [numberIn('from'), numberIn('to')];
  const { value: detail, error, again } = useServer<RunDetail>(apiUrl('run', { run }));
  const { curves, state, error: missing } = useLiveRun(run, from, to);
  useEffect(() => { if (state !== undefined) again(); }, [state?.status]);
  const counts: SampleCounts = state?.counts ?? detail?.counts ?? { answers: 0, heatmaps: 0, rollouts: 0 };
  const first: Part = detail?.line.job === 'label' ? { id: 'labels', title: 'Labels', view: () => <Labels /> } : {
    id: 'curves', title: 'Curves',
    view: () => (curves ? <RunCurves curves={curves} from={from} to={to} /> : <Waiting what="Reading the log" />),
  };
  const all: readonly Part[] = [
    first,
    { id: 'answers', title: 'Answers', count: counts.answers, view: () => <RunAnswers run={run} count={counts.answers} /> },
    { id: 'rollouts', title: 'Rollouts', count: counts.rollouts, view: () => <Rollouts run={run} count={counts.rollouts} /> },
    { id: 'tokens', title: 'Marked tokens', count: counts.heatmaps, view: () => <Heatmaps run={run} count={counts.heatmaps} /> },
    { id: 'recipe', title: 'Recipe', view: () => <pre class="recipe">{detail!.recipe}</pre> },
  ];
  // No part without anything in it.
  const parts = all.filter(({ count }) => count !== 0);
  const shown = parts.find(({ id }) => id === place.value.params.get('show')) ?? parts[0]!;
  useKeys({
    Escape: { does: 'back to all runs', run: () => go(addressOf('runs')) },
    ...Object.fromEntries(parts.map(({ id, title }, i) => [String(i + 1), { does: title, run: () => setParams({ show: id }) }])),
  });

  const failure = error ?? missing;
  if (detail === undefined) {
    return (
      <article class="run">
        <p class="back"><a href={addressOf('runs')}>All runs</a> <kbd>Esc</kbd></p>
        <div class="head"><h1>{nameOf(run)}</h1></div>
        {failure ? <Failure error={failure} again={again} /> : <Waiting what="Opening the run" />}
      </article>
    );
  }
  const { line, measurements, metric, facts } = detail;
  const chief = line.heldOut;
  const steps = line.job === 'label' ? '' : counted(state?.steps ?? line.steps, 'step');
  return (
    <article class="run">
      <p class="back"><a href={addressOf('runs')}>All runs</a> <kbd>Esc</kbd></p>
      <div class="head">
        <h1>{nameOf(run)}</h1>
        <Status status={state?.status ?? line.status} />
      </div>
      <p class="quiet">
        {[run, line.job, line.method, line.model, steps].filter(Boolean).join(' · ')} ·{' '}
        <time dateTime={line.started} title={moment(line.started)}>started {ago(line.started)}</time> · {clock(line.seconds)}
      </p>
      {state?.cluster && <p class="quiet">Cluster: {state.cluster}</p>}
      {line.reason && <p class="failure" role="alert">{line.reason}</p>}
      <RunActions detail={detail} status={state?.status ?? line.status} changed={again} />
      {chief && <Headline metric={metric} measurement={chief} />}
      <nav class="parts" aria-label="Parts of the run">
        {parts.map(({ id, title, count }, i) => (
          <button key={id} type="button" aria-current={id === shown.id ? 'true' : undefined} onClick={() => setParams({ show: id })}>
            {title} {count !== undefined && <span class="quiet">{number(count)}</span>} <kbd>{i + 1}</kbd>
          </button>
        ))}
      </nav>
      <section aria-label={shown.title}>{shown.view()}</section>
      {measurements.length > 0 && shown === first && <MeasurementTable measurements={measurements} />}
      {facts.length > 0 && shown === first && <Facts facts={facts} />}
    </article>
  );
}

const Labels = () => (
  <p class="note">
    Rows that a judge labelled: they are in <code>rows.jsonl</code> of the folder. <a href={addressOf('judges')}>Judges</a> says how far
    the judge agrees with people, what it favours and what it cost; the report has its answers.
  </p>
);

/** Those of one line first. */
const Facts = ({ facts }: { readonly facts: RunDetail['facts'] }) => (
  <dl class="facts">
    {[...facts].sort((a, b) => Number(a.lines.length > 1) - Number(b.lines.length > 1)).map(({ name, lines }) => (
      <div key={name} class={lines.length > 1 ? 'long' : ''}><dt>{name}</dt>{lines.map((line) => <dd key={line}>{line}</dd>)}</div>
    ))}
  </dl>
);
