/** Chat: models side by side, and buttons for what one thinks of their answers. */
import { useSignal } from '@preact/signals';
import { useRef } from 'preact/hooks';

import type { ChatKept, Speakers } from '../api.js';
import { useKeys } from '../keys.js';
import type { Page } from '../page.js';
import { Failure, Waiting } from '../parts/state.js';
import { useServer } from '../server.js';
import { number } from '../write.js';
import { Answers } from './chat/answers.js';
import { Options } from './chat/options.js';
import { useConversation } from './chat/conversation.js';
import '../style/tokens.css';
import '../style/chat.css';

/** Models that answer side by side. */
const MOST = 3;

function Chat() {
  const { value: all, error, again } = useServer<Speakers>('api/speakers');
  const { value: kept, again: count } = useServer<ChatKept>('api/chat/said');
  const picked = useSignal<readonly string[] | undefined>(undefined);
  const text = useSignal('');
  const field = useRef<HTMLTextAreaElement>(null);
  const talk = useConversation(count);
  const speakers = all?.speakers ?? [];
  const chosen = picked.value ?? firstOf(speakers);
  const ask = (): void => {
    if (text.value.trim() === '' || talk.busy || chosen.length === 0) return;
    void talk.ask(text.value, chosen);
    text.value = '';
  };
  const toggle = (id: string): void => {
    picked.value = chosen.includes(id) ? chosen.filter((one) => one !== id) : [...chosen, id].slice(-MOST);
  };
  useKeys({
    e: { does: 'write a message', run: () => field.current?.focus() },
    x: { does: 'stop the answers', run: talk.stop },
    c: { does: 'a new conversation', run: talk.clear },
  });
  if (error && all === undefined) return <Failure error={error} again={again} />;
  if (all === undefined) return <Waiting what="Looking for models" />;
  const titleOf = (id: string): string => speakers.find((one) => one.id === id)?.title ?? id;
  return (
    <>
      <div class="head"><h1>Chat</h1></div>
      <fieldset class="who">
        <legend class="quiet">Who answers, at most {MOST}</legend>
        {speakers.map(({ id, title, run }) => (
          <label key={id}>
            <input type="checkbox" checked={chosen.includes(id)} disabled={talk.busy} onChange={() => toggle(id)} />
            {' '}{title}{run === undefined && <span class="quiet"> base</span>}
          </label>
        ))}
      </fieldset>
      {talk.turns.length === 0 && (
        <p class="lede">
          Ask a model before and after training the same thing. What you say of an answer, a thumb, a comment or a correction, is
          kept in feedback.db of this folder, from which <code>npx heed rows</code> makes training rows.
        </p>
      )}
      {talk.turns.map((turn, i) => <Answers key={i} turn={turn} titleOf={titleOf} said={count} />)}
      <form class="ask" onSubmit={(event) => { event.preventDefault(); ask(); }}>
        <textarea
          ref={field} rows={2} value={text.value} aria-label="Message" placeholder="Message"
          onInput={(event) => { text.value = event.currentTarget.value; }}
          onKeyDown={(event) => { if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) { event.preventDefault(); ask(); } }}
        />
        <p class="actions">
          {talk.busy
            ? <button type="button" onClick={talk.stop}>Stop <kbd>x</kbd></button>
            : <button type="submit" disabled={text.value.trim() === '' || chosen.length === 0}>Send <kbd>Enter</kbd></button>}
          {talk.turns.length > 0 && <button type="button" class="plain" disabled={talk.busy} onClick={talk.clear}>New <kbd>c</kbd></button>}
          <Options value={talk.options} />
        </p>
      </form>
      {kept && kept.answers > 0 && (
        <p class="note">Kept in {kept.file} so far: {counted(kept.answers, 'answer')}, {counted(kept.feedback, 'remark')}.</p>
      )}
    </>
  );
}

const counted = (n: number, what: string): string => `${number(n)} ${what}${n === 1 ? '' : 's'}`;

/** The newest adapter beside its base, else what there is. */
function firstOf(speakers: Speakers['speakers']): readonly string[] {
  const adapter = speakers.find(({ run }) => run !== undefined);
  const base = speakers.find((one) => one.run === undefined && (adapter === undefined || one.base === adapter.base));
  return [base, adapter].flatMap((one) => (one === undefined ? [] : [one.id]));
}

export const chatPage: Page = { id: 'chat', title: 'Chat', key: 'h', view: Chat };
