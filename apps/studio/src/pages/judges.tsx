/** Judges: how far each agrees with people, what it favours, whether its probabilities mean what they say, and what it costs. */
import type { Calibration, JudgeLine } from '../api.js';
import type { Page } from '../page.js';
import { Failure, Waiting } from '../parts/state.js';
import { apiUrl, useServer } from '../server.js';
import { clock, counted, interval, nameOf, number, percent } from '../write.js';
import '../style/judges.css';

function Judges() {
  const { value, error, again } = useServer<readonly JudgeLine[]>('api/judges');
  if (value === undefined) return error ? <Failure error={error} again={again} /> : <Waiting what="Looking for judges" />;
  const calibrated = value.filter(({ calibration }) => calibration !== undefined);
  return (
    <>
      <div class="head"><h1>Judges</h1></div>
      {value.length === 0 ? <NoJudges /> : (
        <table class="cards judges">
          <caption class="unseen">Judges of labelling runs</caption>
          <thead>
            <tr>
              {['judge', 'labels'].map((title) => <th key={title} scope="col">{title}</th>)}
              {['agreement with people', 'Cohen’s κ', 'follows the place'].map((title) => (
                <th key={title} scope="col" class="num">{title}</th>
              ))}
              {['failures', 'cost'].map((title) => <th key={title} scope="col">{title}</th>)}
            </tr>
          </thead>
          <tbody>{value.map((line) => <Row key={line.run} line={line} />)}</tbody>
        </table>
      )}
      {calibrated.length > 0 && (
        <section aria-label="Calibration">
          <h2>Calibration</h2>
          <p class="quiet">
            A point is a tenth of the labels: what they said on average, and how often people thought so. On the line, a label means what it
            says. ECE is the mean distance from it.
          </p>
          <div class="charts">
            {calibrated.map(({ run, judge, calibration }) => (
              <figure key={run} class="chart">
                <figcaption>
                  <b>{nameOf(run)}</b> {judge}
                  <span class="quiet">ECE {calibration!.ece.toFixed(3)}, Brier {calibration!.brier.toFixed(3)}</span>
                </figcaption>
                <Reliability calibration={calibration!} />
              </figure>
            ))}
          </div>
        </section>
      )}
    </>
  );
}

function Row({ line }: { readonly line: JudgeLine }) {
  const { run, judge, labeler, rows, labelled, warning, kappa, position, failures, spent, questions, seconds, report } = line;
  return (
    <tr>
      <th scope="row">
        {report ? <a href={apiUrl('run/report', { run })} target="_blank" rel="noopener">{nameOf(run)}</a> : nameOf(run)}
        <span class="quiet path">{judge}</span>
        {warning !== undefined && <span class="reason">{warning}</span>}
      </th>
      <td data-label="labels">{labeler}<span class="quiet path">{number(labelled)} of {counted(rows, 'row')}</span></td>
      <td class="num" data-label="agreement with people"><WithPeople line={line} /></td>
      <td class="num" data-label="Cohen’s κ">{kappa === undefined ? '–' : kappa.toFixed(2)}</td>
      <td class="num" data-label="follows the place">
        {position === undefined ? '–' : (
          <>{percent(position.same.mean)}<span class="range">{interval(position.same, percent)}, n = {number(position.pairs)}</span></>
        )}
      </td>
      <td data-label="failures">
        {Object.keys(failures).length === 0 ? '–' : Object.entries(failures).map(([why, n]) => (
          <span key={why} class="path">{why} {number(n)}</span>
        ))}
      </td>
      <td data-label="cost">
        {spent.cost === undefined ? '' : spent.cost.toPrecision(3)}
        <span class="quiet path">{number(spent.promptTokens)} tokens in, {number(spent.completionTokens)} out</span>
        <span class="quiet path">{number(questions)} questions, {clock(Math.round(seconds))}</span>
      </td>
    </tr>
  );
}

function WithPeople({ line: { agreement, correlation, verdicts } }: { readonly line: JudgeLine }) {
  if (agreement === undefined) {
    return <span class="quiet">{correlation === undefined ? 'not measured' : `rank correlation ${correlation.toFixed(2)}`}</span>;
  }
  return (
    <>
      <span class="strong">{percent(agreement.mean)}</span>
      <span class="range">{interval(agreement, percent)}, n = {number(agreement.n)}</span>
      {agreement.balanced && <span class="range">mean of both classes</span>}
      {verdicts && (
        <span class="range">
          yes to {number(verdicts.yes.saidYes)} of {number(verdicts.yes.n)} good,{' '}
          {number(verdicts.no.saidYes)} of {number(verdicts.no.n)} bad
        </span>
      )}
    </>
  );
}

const SIZE = 200;

function Reliability({ calibration: { bins } }: { readonly calibration: Calibration }) {
  const most = Math.max(...bins.map(({ n }) => n));
  const x = (p: number): number => p * SIZE;
  const y = (p: number): number => (1 - p) * SIZE;
  return (
    <>
      <svg class="reliability" viewBox={`-8 -8 ${SIZE + 16} ${SIZE + 16}`} aria-hidden="true">
        <rect x="0" y="0" width={SIZE} height={SIZE} /><line x1="0" y1={SIZE} x2={SIZE} y2="0" />
        <polyline points={bins.map(({ said, seen }) => `${x(said)},${y(seen)}`).join(' ')} />
        {bins.map(({ from, said, seen, n }) => <circle key={from} cx={x(said)} cy={y(seen)} r={2 + 5 * Math.sqrt(n / most)} />)}
      </svg>
      <details>
        <summary>Numbers</summary>
        <table>
          <thead><tr>{['said', 'people', 'rows'].map((title) => <th key={title} scope="col" class="num">{title}</th>)}</tr></thead>
          <tbody>
            {bins.map(({ from, said, seen, n }) => (
              <tr key={from}>{[said.toFixed(2), seen.toFixed(2), number(n)].map((text, i) => <td key={i} class="num">{text}</td>)}</tr>
            ))}
          </tbody>
        </table>
      </details>
    </>
  );
}

const NoJudges = () => (
  <div class="intro">
    <p>Here stand the judges that labelled data of this folder: how far they agree with people, what they favour, and what they cost.</p>
    <p>None has labelled yet. In a terminal:</p>
    <pre>npx heed label recipes/label-preferences.yaml data=answers.jsonl</pre>
  </div>
);

export const judgesPage: Page = { id: 'judges', title: 'Judges', key: 'j', view: Judges };
