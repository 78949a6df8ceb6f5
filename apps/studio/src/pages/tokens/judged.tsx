/** A response under a judgment: typed, or picked from a run or a file. */
import { useSignal } from '@preact/signals';
import { useRef } from 'preact/hooks';

import type { Scored, Speakers, Turn } from '../../api.js';
import { useKeys } from '../../keys.js';
import { Failure, Waiting } from '../../parts/state.js';
import { type ServerError, post, useEvery, useServer } from '../../server.js';
import { Heat } from './heat.js';
import { Pick, type Picked } from './pick.js';
import { type Shown, ofScored } from './shown.js';

/** λ of the paper. */
const PAPER = 1.1;

const EXAMPLE: Omit<Picked, 'shown'> = {
  prompt: [{ role: 'user', content: 'Write one sentence about our new kettle.' }],
  response: 'We are proud to offer you a kettle that boils a litre of water in two minutes.',
  judgment: 'The text speaks in the first and second person: "We", "you".',
};

export function Judged() {
  const { value: all, error, again } = useServer<Speakers>('api/speakers');
  const before = useSignal<readonly Turn[]>([]);
  const asked = useSignal('');
  const response = useSignal('');
  const judgment = useSignal('');
  const chosen = useSignal<string | undefined>(undefined);
  const shown = useSignal<Shown | undefined>(undefined);
  const busy = useSignal(false);
  const failure = useSignal<ServerError | undefined>(undefined);
  const picking = useSignal(false);
  const form = useRef<HTMLFormElement>(null);
  const speaker = all?.speakers.find(({ id }) => id === chosen.value) ?? all?.speakers[0];
  const complete = [asked, response, judgment].every(({ value }) => value.trim() !== '');

  const score = async (): Promise<void> => {
    if (!complete || speaker === undefined || busy.value) return;
    busy.value = true;
    failure.value = undefined;
    try {
      const prompt = [...before.value, { role: 'user', content: asked.value }];
      shown.value = ofScored(await post<Scored>('tokens/score', {
        speaker: speaker.id, prompt, response: response.value, judgment: judgment.value,
      }));
    } catch (refused) {
      failure.value = refused as ServerError;
    } finally {
      busy.value = false;
    }
  };
  const fill = (picked: Picked): void => {
    picking.value = false;
    before.value = picked.prompt.slice(0, -1);
    asked.value = picked.prompt.at(-1)?.content ?? '';
    response.value = picked.response;
    judgment.value = picked.judgment;
    shown.value = picked.shown;
    failure.value = undefined;
    if (picked.run !== undefined && all?.speakers.some(({ id }) => id === `run:${picked.run}`)) chosen.value = `run:${picked.run}`;
  };
  useKeys({
    p: { does: 'pick a response from a run or a file', run: () => { picking.value = true; } },
    e: { does: 'write: go to the text fields', run: () => form.current?.querySelector('textarea')?.focus() },
    s: { does: 'score the response', run: () => void score() },
  });

  if (error && all === undefined) return <Failure error={error} again={again} />;
  const write = (value: typeof asked, text: string): void => {
    value.value = text;
    // The tokens are of another text now.
    shown.value = undefined;
  };
  const text = (label: string, value: typeof asked, rows: number, wide = false) => (
    <label class={wide ? 'whole' : ''}>
      {label}
      <textarea rows={rows} value={value.value} onInput={(event) => write(value, event.currentTarget.value)} />
    </label>
  );
  return (
    <>
      <p class="lede">
        A judgment makes the words that it speaks of likelier. So CUT finds what to unlearn: p is the model's probability of a token
        after the prompt, q after the prompt and the judgment.
      </p>
      <p class="actions">
        <button type="button" onClick={() => { picking.value = true; }}>Pick a response <kbd>p</kbd></button>
        <button type="button" class="plain" onClick={() => fill(EXAMPLE)}>Take an example</button>
      </p>
      <form
        ref={form} onSubmit={(event) => { event.preventDefault(); void score(); }}
        onKeyDown={(event) => { if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) { event.preventDefault(); void score(); } }}
      >
        {before.value.length > 0 && <Before turns={before.value} drop={() => { before.value = []; }} />}
        <div class="fields two">
          {text('Prompt', asked, 2)}
          {text('Judgment', judgment, 2)}
          {text('Response', response, 3, true)}
        </div>
        <p class="actions low">
          <label class="field">
            Model
            <select value={speaker?.id} onChange={(event) => { chosen.value = event.currentTarget.value; }}>
              {all?.speakers.map(({ id, title, base, run }) => (
                <option key={id} value={id}>{run === undefined ? `${title} (base)` : `${title} on ${base}`}</option>
              ))}
            </select>
          </label>
          <button type="submit" disabled={!complete || busy.value}>Show the tokens <kbd>s</kbd></button>
          <span class="quiet keyboard">in a text field <kbd>Ctrl</kbd> <kbd>Enter</kbd></span>
        </p>
      </form>
      {busy.value && <Busy />}
      {failure.value && <Failure error={failure.value} />}
      {shown.value && <Heat shown={shown.value} first={speaker?.lambda ?? PAPER} />}
      {picking.value && <Pick close={() => { picking.value = false; }} pick={fill} />}
    </>
  );
}

/** What the server is busy with, asked for while one waits. */
function Busy() {
  const { value, again } = useServer<Speakers>('api/speakers');
  useEvery(1000, again);
  return <Waiting what={value?.doing ?? 'Working'} />;
}

function Before({ turns, drop }: { readonly turns: readonly Turn[]; readonly drop: () => void }) {
  return (
    <details class="turns-before">
      <summary>{turns.length} turns come before the prompt</summary>
      <pre>{turns.map(({ role, content }) => `${role}: ${content}`).join('\n\n')}</pre>
      <button type="button" onClick={drop}>Leave them out</button>
    </details>
  );
}
