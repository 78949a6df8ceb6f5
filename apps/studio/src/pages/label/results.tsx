/** What has come of a set: how far people agree, who won, where they differ, and rows. */
import { useSignal } from '@preact/signals';

import type { AgreementShown, Disagreement, Exported, LabelResults as Results, Part } from '../../api.js';
import { complain, say } from '../../parts/notices.js';
import { Failure } from '../../parts/state.js';
import { addressOf, setParams } from '../../router.js';
import { apiUrl, post, useServer } from '../../server.js';
import { clock, counted, interval, number, percent } from '../../write.js';
import { Prompt } from './texts.js';

const fixed = (value: number): string => value.toFixed(2);
const chance = (p: number): string => (p < 0.001 ? p.toExponential(1) : p.toFixed(3));

export function LabelResults({ results }: { readonly results: Results }) {
  const { set, agreement, place, counts, scores, outcome } = results;
  return (
    <div class="results">
      <div class="head"><h1>{set.name}</h1></div>
      {set.people.length === 0 ? <p class="intro">Nobody has said anything yet. Press <kbd>w</kbd> to begin.</p> : (
        <>
          <table class="cards">
            <caption>People</caption>
            <thead>
              <tr>
                <th scope="col">who</th>
                {['given', 'skipped', 'an item'].map((title) => <th key={title} scope="col" class="num">{title}</th>)}
              </tr>
            </thead>
            <tbody>
              {set.people.map(({ who, given, skipped, pace }) => (
                <tr key={who}>
                  <th scope="row">{who}</th><td class="num" data-label="given">{number(given)} of {number(set.items)}</td>
                  <td class="num" data-label="skipped">{number(skipped)}</td>
                  <td class="num" data-label="an item">{pace === undefined ? '–' : clock(Math.round(pace))}</td>
                </tr>
              ))}
            </tbody>
          </table>
          {counts.length > 0 && (
            <dl class="facts">{counts.map(({ name, n }) => <div key={name}><dt>{name}</dt><dd>{number(n)}</dd></div>)}</dl>
          )}
          {set.task === 'pairs' && <Outcome results={results} outcome={outcome} place={place} />}
          {scores.length > 0 && (
            <table>
              <caption>Scores, 1 to {set.scale}</caption>
              <tbody>
                {scores.map(({ name, value }) => (
                  <tr key={name}>
                    <th scope="row">{name}</th>
                    <td class="num strong">{fixed(value.mean)}<span class="range">{interval(value, fixed)}</span></td>
                  </tr>
                ))}
              </tbody>
            </table>
          )}
          <h2>Agreement</h2>
          {agreement.map((one) => <Agreement key={one.what} agreement={one} />)}
          <Differ id={set.id} />
          {set.task !== 'questions' && <Rows results={results} />}
        </>
      )}
    </div>
  );
}

function Outcome({ results: { set }, outcome, place }: {
  readonly results: Results; readonly outcome: Results['outcome']; readonly place: Results['place'];
}) {
  return (
    <section aria-label="Who won">
      <h2>Who won</h2>
      {outcome === undefined ? (
        <p>
          It is hidden, so that nobody who still labels knows whose answers are liked.{' '}
          <button type="button" onClick={() => setParams({ reveal: 'yes' })}>Show it</button>
        </p>
      ) : (
        <>
          <p class="big-share">
            <b>{percent(outcome.rate.mean)}</b> for {outcome.models[0]}{' '}
            <span class="quiet">against {outcome.models[1]}, {interval(outcome.rate, percent)} (95 %)</span>
          </p>
          <p class="quiet">
            {counted(outcome.wins[0], 'vote')} for the one, {number(outcome.wins[1])} for the other, {counted(outcome.ties, 'tie')}.
            A tie counts half; an item counts once. Sign test over items: p = {chance(outcome.p)}.
          </p>
        </>
      )}
      {set.task === 'pairs' && place !== undefined && place.n > 0 && (
        <p class="quiet">
          The left answer was chosen in {number(place.first)} of {counted(place.n, 'vote')} (binomial p = {chance(place.p)}).
          Sides are drawn by the seed {set.seed}.
        </p>
      )}
    </section>
  );
}

function Agreement({ agreement: { what, alpha, both, pairs } }: { readonly agreement: AgreementShown }) {
  if (both === 0) {
    return <p class="quiet">{what}: no item was judged by two people yet. Somebody else opens the same set under another name.</p>;
  }
  return (
    <>
      <p>
        {what}: {alpha === undefined ? 'α is not defined, since all said the same' : (
          <><b>α = {fixed(alpha.mean)}</b> <span class="quiet">{interval(alpha, fixed)} (95 %), {alpha.distance}</span></>
        )} <span class="quiet">over {counted(both, 'item')} of two people or more</span>
      </p>
      <table>
        <caption class="unseen">Cohen's κ: {what}</caption>
        <thead>
          <tr>
            <th scope="col">two people</th>
            {['items', 'same', 'Cohen’s κ'].map((title) => <th key={title} scope="col" class="num">{title}</th>)}
          </tr>
        </thead>
        <tbody>
          {pairs.map(({ a, b, n, kappa, same }) => (
            <tr key={`${a} ${b}`}>
              <th scope="row">{a}, {b}</th><td class="num">{number(n)}</td><td class="num">{percent(same / n)}</td>
              <td class="num strong">{kappa === undefined ? 'not defined' : fixed(kappa)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}

const SHOWN = 10;

function Differ({ id }: { readonly id: string }) {
  const offset = useSignal(0);
  const { value, error } = useServer<Part<Disagreement>>(apiUrl('label/disagreements', { set: id, offset: offset.value, limit: SHOWN }));
  if (error) return <Failure error={error} />;
  if (value === undefined || value.total === 0) return null;
  return (
    <section aria-label="Where people differ">
      <h2>Where people differ <span class="quiet">{counted(value.total, 'item')}</span></h2>
      {value.items.map(({ place, prompt, responses, said }) => (
        <details key={place} class="differ">
          <summary>
            {said.map(({ who, verdict }) => `${who}: ${verdict}`).join(' · ')}{' '}
            <span class="quiet">{(prompt.at(-1)?.content ?? '').slice(0, 80)}</span>
          </summary>
          <Prompt prompt={prompt} />
          {responses.map((text, i) => (
            <section key={i} class="answer" aria-label={`Answer ${'AB'[i]}`}>
              <h3>{responses.length > 1 ? 'AB'[i] : 'Answer'}</h3>
              <div class="text">{text}</div>
            </section>
          ))}
          <ul>{said.map(({ who, verdict, why }) => <li key={who}><b>{who}</b>: {verdict}{why && <>. {why}</>}</li>)}</ul>
          <a href={addressOf('label', { set: id, at: String(place) })}>Judge it again</a>
        </details>
      ))}
      {value.total > SHOWN && (
        <p class="actions">
          <button type="button" disabled={offset.value === 0} onClick={() => { offset.value -= SHOWN; }}>Before</button>
          <button type="button" disabled={offset.value + SHOWN >= value.total} onClick={() => { offset.value += SHOWN; }}>Next</button>
        </p>
      )}
    </section>
  );
}

function Rows({ results: { set, rows } }: { readonly results: Results }) {
  const stem = set.files[0]!.replace(/\.[^/]*$/, '');
  const write = async (kind: string): Promise<void> => {
    try {
      const { file, rows: n } = await post<Exported>('label/export', { set: set.id, kind, output: `${stem}.${kind}.jsonl` });
      say(`${counted(n, 'row is', 'rows are')} in ${file}.`);
    } catch (error) {
      complain(error);
    }
  };
  const some = rows.filter((one) => one.rows > 0);
  return (
    <section aria-label="Rows">
      <h2>Rows to train on</h2>
      {some.length === 0 && <p class="quiet">Nothing that was said makes a row yet.</p>}
      <ul class="sets">
        {some.map(({ kind, rows: n, leftOut }) => (
          <li key={kind}>
            <span>
              <b>{kind}</b> {counted(n, 'row')}
              {Object.entries(leftOut).map(([why, count]) => <span key={why} class="quiet path">left out: {why} ({number(count)})</span>)}
            </span>
            <button type="button" onClick={() => void write(kind)}>Write {stem}.{kind}.jsonl</button>
          </li>
        ))}
      </ul>
    </section>
  );
}
