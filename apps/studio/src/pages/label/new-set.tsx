/** Choosing what to label: a file or two, and what is asked of people. */
import { useSignal } from '@preact/signals';
import { useRef } from 'preact/hooks';

import type { LabelLook, Task } from '../../api.js';
import { useKeys } from '../../keys.js';
import { Failure, Waiting } from '../../parts/state.js';
import { apiUrl, useServer } from '../../server.js';
import { counted } from '../../write.js';
import { TASK_WORDS, openSet } from './open-set.js';

export function NewSet({ files }: { readonly files: readonly string[] }) {
  const [file, second] = [useSignal(''), useSignal('')];
  const task = useSignal<Task | undefined>(undefined);
  const principles = useSignal('helpful\nhonest');
  const scale = useSignal<5 | 10>(5);
  const first = useRef<HTMLSelectElement>(null);
  useKeys({ f: { does: 'choose a file', run: () => first.current?.focus() } });
  const url = file.value === '' ? undefined : apiUrl('label/look', { file: file.value, second: second.value || undefined });
  const { value: look, error, again } = useServer<LabelLook>(url);
  const chosen = look?.tasks.find((one) => one.task === task.value) ?? look?.tasks[0];
  const begin = (event: SubmitEvent): void => {
    event.preventDefault();
    if (chosen === undefined) return;
    const scores = chosen.task === 'scores'
      ? { principles: principles.value.split('\n').map((line) => line.trim()).filter((line) => line !== ''), scale: scale.value } : {};
    void openSet({ files: [file.value, second.value].filter((one) => one !== ''), task: chosen.task, ...scores });
  };
  const choices = (than = ''): preact.JSX.Element[] => files.filter((one) => one !== than)
    .map((one) => <option key={one} value={one}>{one}</option>);
  return (
    <section aria-label="New set">
      <h2>Begin with a file</h2>
      {files.length === 0 ? (
        <p class="quiet">
          There is no data file in this folder. <code>npx heed generate --prompts prompts.jsonl -o answers.jsonl</code> writes one.
        </p>
      ) : (
        <form class="new-set" onSubmit={begin}>
          <label>
            <span>File <kbd>f</kbd></span>
            <select ref={first} value={file.value} onChange={(event) => { file.value = event.currentTarget.value; second.value = ''; }}>
              <option value="">choose …</option>{choices()}
            </select>
          </label>
          {file.value !== '' && (
            <label>
              <span>Compare with <span class="quiet">answers of another model to the same prompts</span></span>
              <select value={second.value} onChange={(event) => { second.value = event.currentTarget.value; }}>
                <option value="">nothing</option>{choices(file.value)}
              </select>
            </label>
          )}
          {url !== undefined && look === undefined && (error ? <Failure error={error} again={again} /> : <Waiting what="Reading it" />)}
          {look && look.tasks.length > 0 && (
            <fieldset>
              <legend>What is asked</legend>
              {look.tasks.map((one) => (
                <label key={one.task} class="choice">
                  <input
                    type="radio" name="task" checked={one.task === chosen?.task} onChange={() => { task.value = one.task; }}
                  /> {TASK_WORDS[one.task]} <span class="quiet">{counted(one.items, 'item')}</span>
                </label>
              ))}
            </fieldset>
          )}
          {look && look.tasks.length === 0 && <p class="note">Nothing in it can be labelled: it needs prompts with answers.</p>}
          {look?.notes.map((note) => <p key={note} class="note">{note}</p>)}
          {chosen?.task === 'scores' && (
            <>
              <label>
                Principles, one a line
                <textarea rows={3} value={principles.value} onInput={(event) => { principles.value = event.currentTarget.value; }} />
              </label>
              <label>
                Scores from 1 to
                <select value={String(scale.value)} onChange={(event) => { scale.value = event.currentTarget.value === '10' ? 10 : 5; }}>
                  <option>5</option><option>10</option>
                </select>
              </label>
            </>
          )}
          <p class="actions"><button type="submit" disabled={chosen === undefined}>Begin</button></p>
        </form>
      )}
    </section>
  );
}
