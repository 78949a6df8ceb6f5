/** Stop, go on, delete, and the report. */
import { useSignal } from '@preact/signals';

import type { Binned, RunDetail, RunStatus } from '../../api.js';
import { complain, say } from '../../parts/notices.js';
import { addressOf, go } from '../../router.js';
import { apiUrl, post } from '../../server.js';

interface Props { readonly detail: RunDetail; readonly status: RunStatus; readonly changed: () => void }

export function RunActions({ detail: { line: { run, report }, resumeBlocked }, status, changed }: Props) {
  const busy = useSignal(false);
  const act = async (path: string, done: (answer: unknown) => void): Promise<void> => {
    busy.value = true;
    try {
      done(await post(path, { run }));
    } catch (error) {
      complain(error);
    } finally {
      busy.value = false;
    }
  };
  const told = (text: string) => (): void => { say(text); changed(); };
  const stop = (): Promise<void> => act('run/stop', told('It stops after the step that is under way, and saves.'));
  const resume = (): Promise<void> => act('run/resume', told('It goes on from its newest checkpoint.'));
  // Nothing is asked of a run that is gone.
  const remove = (): Promise<void> => act('run/delete', (answer) => {
    const { id } = answer as Binned;
    go(addressOf('runs'));
    say(`${run} is in the bin.`, { label: 'Put back', run: () => void post('bin/restore', { id }).then(changed, complain) });
  });
  const works = status === 'running' || status === 'stopping';
  const rests = status === 'stopped' || status === 'failed';
  return (
    <>
      <p class="actions">
        {works && <button type="button" disabled={busy.value || status === 'stopping'} onClick={() => void stop()}>Stop and keep</button>}
        {rests && <button type="button" disabled={busy.value || resumeBlocked !== undefined} onClick={() => void resume()}>Resume</button>}
        {report && <a class="button" href={apiUrl('run/report', { run })} target="_blank" rel="noopener">Report</a>}
        {!works && <button type="button" disabled={busy.value} onClick={() => void remove()}>Delete</button>}
      </p>
      {rests && resumeBlocked !== undefined && <p class="note">It cannot be resumed from here. {resumeBlocked}</p>}
    </>
  );
}
