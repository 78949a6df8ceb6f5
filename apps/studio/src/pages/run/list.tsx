/** All runs of the project folder, the newest first. */
import { useComputed, useSignal } from '@preact/signals';
import { useCallback, useEffect, useRef } from 'preact/hooks';

import type { RunLine, RunList as List } from '../../api.js';
import { useKeys } from '../../keys.js';
import { ValueCell } from '../../parts/measured.js';
import { Spark } from '../../parts/spark.js';
import { Failure, Waiting } from '../../parts/state.js';
import { Status } from '../../parts/status.js';
import { addressOf, go, place, setParams } from '../../router.js';
import { useEvery, useServer } from '../../server.js';
import { comparisonOf } from '../../sides.js';
import { ago, clock, moment, nameOf, number, writerOf } from '../../write.js';
import { Bin } from './bin.js';
import { FailedJob } from './failed-job.js';

const LOOK = { running: 3000, quiet: 12_000 };

export function RunList() {
  const { value, error, again } = useServer<List>('api/runs');
  const running = value?.runs.some(({ status }) => status === 'running' || status === 'stopping') ?? false;
  useEvery(running ? LOOK.running : LOOK.quiet, again);
  const search = useRef<HTMLInputElement>(null);
  const marked = useSignal<readonly string[]>([]);
  const at = useSignal(-1);
  const bin = useSignal(false);
  const words = useComputed(() => place.value.params.get('q') ?? '');
  const runs = (value?.runs ?? []).filter((line) => matches(line, words.value));
  const rows = useRef<HTMLTableSectionElement>(null);
  const move = useCallback((by: number) => {
    const links = [...(rows.current?.querySelectorAll<HTMLAnchorElement>('th a') ?? [])];
    at.value = Math.max(0, Math.min(links.length - 1, at.value + by));
    links[at.value]?.focus();
  }, []);
  const mark = (run: string): void => {
    marked.value = marked.value.includes(run) ? marked.value.filter((one) => one !== run) : [...marked.value, run];
  };
  const compare = (): void => { if (marked.value.length > 0) go(comparisonOf(marked.value)); };
  useKeys({
    j: { does: 'next run', run: () => move(1) },
    k: { does: 'run before', run: () => move(-1) },
    x: { does: 'mark the run for a comparison', run: () => { const line = runs[at.value]; if (line) mark(line.run); } },
    c: { does: 'compare the marked runs', run: compare },
    '/': { does: 'find runs', run: () => search.current?.focus() },
    b: { does: 'show or hide the bin', run: () => { bin.value = !bin.value; } },
  });
  useEffect(() => { at.value = -1; }, [words.value]);

  if (error && value === undefined) return <Failure error={error} again={again} />;
  if (value === undefined) return <Waiting what="Looking for runs" />;
  return (
    <>
      <div class="head">
        <h1>Runs <span class="quiet">in {value.project}</span></h1>
        {value.runs.length > 0 && (
          <input
            ref={search} type="search" class="search" placeholder="Find runs (/)" aria-label="Find runs by name, method, model or status"
            value={words.value} onInput={(event) => setParams({ q: event.currentTarget.value })}
          />
        )}
      </div>
      {error && <Failure error={error} again={again} />}
      <FailedJob listed={value.runs.map(({ run }) => run)} />
      {value.runs.length === 0 ? <NoRuns /> : (
        <>
          <p class="actions">
            <button type="button" disabled={marked.value.length === 0} onClick={compare}>
              Compare {marked.value.length || ''} <kbd>c</kbd>
            </button>
            <button type="button" class="plain" aria-expanded={bin.value} onClick={() => { bin.value = !bin.value; }}>
              Bin {value.binned > 0 && value.binned} <kbd>b</kbd>
            </button>
          </p>
          {runs.length === 0 && <p class="quiet">No run has “{words.value}” in its name, method, model or status.</p>}
          <table class="runs cards">
            <caption class="unseen">Runs, the newest first</caption>
            <thead>
              <tr>
                <th><span class="unseen">mark</span></th><th scope="col">run</th><th scope="col">status</th><th scope="col">method</th>
                <th scope="col" class="num">steps</th><th scope="col">curve</th><th scope="col" class="num">loss</th>
                <th scope="col">held out</th>
                <th scope="col">started</th>
              </tr>
            </thead>
            <tbody ref={rows}>
              {runs.map((line) => (
                <Row key={line.run} line={line} marked={marked.value.includes(line.run)} mark={() => mark(line.run)} />
              ))}
            </tbody>
          </table>
        </>
      )}
      {value.unseen > 0 && <p class="note">{number(value.unseen)} folders were not looked into: open the studio on a smaller folder.</p>}
      {bin.value && <Bin count={value.binned} changed={again} />}
    </>
  );
}

const matches = ({ run, method, model, status, job }: RunLine, words: string): boolean => {
  const text = [run, method, model, status, job].join(' ').toLowerCase();
  return words.toLowerCase().split(/\s+/).every((word) => text.includes(word));
};

function Row({ line, marked, mark }: { readonly line: RunLine; readonly marked: boolean; readonly mark: () => void }) {
  const { run, status, reason, method, job, model, steps, loss, spark, sparkOf, heldOut, started, seconds } = line;
  return (
    <tr>
      <td class="mark"><input type="checkbox" checked={marked} onChange={mark} aria-label={`Mark ${run} for a comparison`} /></td>
      <th scope="row">
        <a href={addressOf('runs', { run })}>{nameOf(run)}</a>
        <span class="quiet path">{run}</span>
      </th>
      <td data-label="status"><Status status={status} />{reason && <span class="reason">{reason}</span>}</td>
      <td data-label="method">{method ?? job}<span class="quiet path">{model}</span></td>
      <td data-label="steps" class="num">{number(steps)}</td>
      <td class="curve"><Spark values={spark} /><span class="quiet path">{sparkOf}</span></td>
      <td data-label="loss" class="num">{number(loss)}</td>
      <td data-label="held out">
        {heldOut ? <HeldOut line={line} /> : <span class="quiet">{status === 'ended' ? 'nothing' : 'nothing yet'}</span>}
      </td>
      <td data-label="started">
        <time dateTime={started} title={moment(started)}>{ago(started)}</time><span class="quiet path">{clock(seconds)}</span>
      </td>
    </tr>
  );
}

function HeldOut({ line: { heldOut } }: { readonly line: RunLine }) {
  const { value } = writerOf(heldOut!);
  return (
    <>
      <span class="quiet">{heldOut!.title}</span>{' '}
      <span class="whole">{value(heldOut!.before!.mean)} → </span>
      <span class="strong whole"><ValueCell value={heldOut!.after} write={value} /></span>
    </>
  );
}

const NoRuns = () => (
  <div class="intro">
    <p>
      Here stands every training run of this folder: how far it is, its curves while it trains, and what the model says before and
      after.
    </p>
    <p>There is none yet. Start one in a terminal in this folder, and it appears here by itself:</p>
    <pre>npx heed quickstart</pre>
    <p class="quiet">It takes a few minutes. With data of your own: <code>npx heed train RECIPE</code>.</p>
  </div>
);
