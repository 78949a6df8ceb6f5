/** Writes rows and recipe, says what training will take, and starts it. */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';

import type { LookPlan, LookRequest, Prepared, StartedJob } from '../../api.js';
import { useKeys } from '../../keys.js';
import { complain, say } from '../../parts/notices.js';
import { addressOf, go } from '../../router.js';
import { post } from '../../server.js';

export function Ready({ ask, plan }: { readonly ask: LookRequest; readonly plan: LookPlan }) {
  const prepared = useSignal<Prepared | undefined>(undefined);
  const recipe = useSignal('');
  const busy = useSignal(false);
  const asked = JSON.stringify(ask);
  // Files that were written belong to what was asked then.
  useEffect(() => { prepared.value = undefined; }, [asked]);
  const during = async (work: () => Promise<void>): Promise<void> => {
    if (busy.value) return;
    busy.value = true;
    await work().catch(complain);
    busy.value = false;
  };
  const write = (): Promise<void> => during(async () => {
    prepared.value = await post<Prepared>('data/write', ask);
    recipe.value = prepared.value.recipe;
  });
  const start = (): Promise<void> => during(async () => {
    const { run } = await post<StartedJob>('jobs', { recipe: recipe.value, job: 'train' });
    say(`${run} is starting.`);
    go(addressOf('runs'));
  });
  const copy = (): void => void navigator.clipboard.writeText(recipe.value).then(() => say('The recipe is copied.'), complain);
  useKeys({
    w: { does: 'write rows and recipe', run: () => void write() },
    s: { does: 'start training', run: () => { if (prepared.value !== undefined) void start(); } },
  });
  const written = prepared.value;
  return (
    <section class="step" aria-label="Start">
      <h2>Start</h2>
      {written === undefined ? (
        <>
          <p class="actions">
            <button type="button" disabled={busy.value} onClick={() => void write()}>Write rows and recipe <kbd>w</kbd></button>
            <span class="quiet">{busy.value ? 'Writing, and foreseeing time and memory …' : 'Nothing is overwritten.'}</span>
          </p>
          <details><summary>The recipe so far</summary><pre>{plan.recipe}</pre></details>
        </>
      ) : (
        <>
          <p>{written.files.map((file) => <code key={file}>{file} </code>)}<span class="quiet">are written.</span></p>
          <ul class="remarks">{written.foreseen.map((line) => <li key={line}>{line}</li>)}</ul>
          <p class="actions">
            <button type="button" disabled={busy.value} onClick={() => void start()}>Start training <kbd>s</kbd></button>
            <button type="button" onClick={copy}>Copy the recipe</button>
            <span class="quiet">in a terminal: <code>npx heed train {written.files.find((file) => file.endsWith('.yaml'))}</code></span>
          </p>
          <label>
            <span class="quiet">The recipe; what you change here is what is started</span>
            <textarea
              class="recipe" spellcheck={false} value={recipe.value} onInput={(event) => { recipe.value = event.currentTarget.value; }}
            />
          </label>
        </>
      )}
    </section>
  );
}
