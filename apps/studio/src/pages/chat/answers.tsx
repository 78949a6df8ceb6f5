/** The answers to one message side by side, with what one thinks of them. */
import { useSignal } from '@preact/signals';
import type { Signal } from '@preact/signals';

import type { ChatKept } from '../../api.js';
import { complain, say } from '../../parts/notices.js';
import { post } from '../../server.js';
import type { Answer, Exchange } from './conversation.js';

interface Props { readonly turn: Exchange; readonly titleOf: (speaker: string) => string; readonly said: () => void }

export function Answers({ turn: { message, answers }, titleOf, said }: Props) {
  return (
    <article class="exchange">
      <p class="message"><span class="unseen">You: </span>{message}</p>
      <div class="voices">
        {answers.map(({ speaker, answer }) => <Voice key={speaker} title={titleOf(speaker)} answer={answer} said={said} />)}
      </div>
    </article>
  );
}

interface VoiceProps { readonly title: string; readonly answer: Signal<Answer>; readonly said: () => void }

function Voice({ title, answer, said }: VoiceProps) {
  const { text, done, refused, stopped } = answer.value;
  const waits = done === undefined && refused === undefined && stopped !== true;
  return (
    <section class="voice" aria-label={`Answer of ${title}`} aria-busy={waits}>
      <h3>{title}</h3>
      <div class="words">{text}{waits && <span class="quiet">{text === '' ? 'opening the model …' : ' …'}</span>}</div>
      {refused && <p class="failure" role="alert">{refused}</p>}
      {stopped && <p class="note">Stopped; it is not kept.</p>}
      {done && <Feedback id={done.id} text={done.text} cut={done.finish === 'length'} title={title} said={said} />}
    </section>
  );
}

interface FeedbackProps {
  readonly id: string; readonly text: string; readonly cut: boolean; readonly title: string; readonly said: () => void;
}

function Feedback({ id, text, cut, title, said }: FeedbackProps) {
  const vote = useSignal<boolean | undefined>(undefined);
  const writes = useSignal<'comment' | 'demonstration' | undefined>(undefined);
  const words = useSignal('');
  const tell = async (metric: string, value: boolean | string): Promise<boolean> => {
    try {
      const { file } = await post<ChatKept>('chat/feedback', { id, metric, value });
      say(`It is kept in ${file}.`);
      said();
      return true;
    } catch (error) {
      complain(error);
      return false;
    }
  };
  const thumb = (good: boolean, sign: string, name: string) => (
    <button
      type="button" aria-pressed={vote.value === good} aria-label={`${name}: ${title}`}
      onClick={() => void tell('vote', good).then((kept) => { if (kept) vote.value = good; })}
    >
      <span aria-hidden="true">{sign}</span> {name}
    </button>
  );
  const write = (what: 'comment' | 'demonstration'): void => {
    writes.value = writes.value === what ? undefined : what;
    words.value = what === 'demonstration' ? text : '';
  };
  const keep = async (): Promise<void> => {
    if (words.value.trim() !== '' && await tell(writes.value!, words.value)) writes.value = undefined;
  };
  const keys = (event: KeyboardEvent): void => {
    if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    void keep();
  };
  return (
    <>
      {cut && <p class="note">Cut off at the most tokens.</p>}
      <p class="actions">
        {thumb(true, '👍', 'Good')}{thumb(false, '👎', 'Bad')}
        <button type="button" class="plain" aria-expanded={writes.value === 'comment'} onClick={() => write('comment')}>Comment</button>
        <button type="button" class="plain" aria-expanded={writes.value === 'demonstration'} onClick={() => write('demonstration')}>
          Correct
        </button>
        <button type="button" class="plain" onClick={() => void navigator.clipboard.writeText(text).then(() => say('Copied.'), complain)}>
          Copy
        </button>
      </p>
      {writes.value && (
        <form class="fields" onSubmit={(event) => { event.preventDefault(); void keep(); }}>
          <label>
            {writes.value === 'comment' ? 'What is wrong with it, or good' : 'The answer as it should have been'}
            <textarea
              rows={3} value={words.value} onInput={(event) => { words.value = event.currentTarget.value; }}
              onKeyDown={keys}
            />
          </label>
          <p class="actions"><button type="submit">Keep</button> <span class="quiet"><kbd>Ctrl</kbd> <kbd>Enter</kbd></span></p>
        </form>
      )}
    </>
  );
}
