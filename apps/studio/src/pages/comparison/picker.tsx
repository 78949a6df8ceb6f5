/** Choosing runs. */
import { useSignal } from '@preact/signals';

import type { RunList, Side } from '../../api.js';
import { Failure } from '../../parts/state.js';
import { Status } from '../../parts/status.js';
import { useServer } from '../../server.js';
import { comparable, setSides } from '../../sides.js';
import { number } from '../../write.js';

export function RunPicker({ sides, open }: { readonly sides: readonly Side[]; readonly open: boolean }) {
  const words = useSignal('');
  const { value, error, again } = useServer<RunList>('api/runs');
  if (error) return <Failure error={error} again={again} />;
  if (value === undefined) return null;
  const wanted = words.value.toLowerCase();
  const runs = value.runs.filter((line) => comparable(line) && `${line.run} ${line.method ?? ''}`.toLowerCase().includes(wanted));
  const toggle = (run: string): void => setSides(sides.includes(run) ? sides.filter((side) => side !== run) : [...sides, run]);
  return (
    <details class="picker" open={open}>
      <summary>Choose runs</summary>
      {value.runs.length > 8 && (
        <input
          type="search" placeholder="Find runs" aria-label="Find runs" value={words.value}
          onInput={(event) => { words.value = event.currentTarget.value; }}
        />
      )}
      {runs.length === 0 && (
        <p class="quiet">There is no run with steps or answers{words.value && ` and “${words.value}” in its name`}.</p>
      )}
      <ul>
        {runs.map(({ run, method, status, steps }) => (
          <li key={run}>
            <label>
              <input type="checkbox" checked={sides.includes(run)} onChange={() => toggle(run)} /> {run}{' '}
              <span class="quiet">{method} · {number(steps)} steps · <Status status={status} /></span>
            </label>
          </li>
        ))}
      </ul>
    </details>
  );
}
