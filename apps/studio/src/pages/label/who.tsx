/** Who labels: a name that is typed once. */
import { signal } from '@preact/signals';

const STORED = 'heed.who';

/** The name; empty until it is typed. */
export const who = signal(localStorage.getItem(STORED) ?? '');

export function setWho(name: string): void {
  who.value = name.trim();
  localStorage.setItem(STORED, who.value);
}

export function AskName() {
  const enter = (event: SubmitEvent): void => {
    event.preventDefault();
    const given = new FormData(event.currentTarget as HTMLFormElement).get('who');
    if (typeof given === 'string') setWho(given);
  };
  return (
    <form class="intro" onSubmit={enter}>
      <p>What is your name? It stands beside what you say, so that people who label the same can be compared. Any word will do.</p>
      <p class="actions">
        <input name="who" aria-label="Your name" autocomplete="nickname" maxLength={80} required />
        <button type="submit">Begin</button>
      </p>
    </form>
  );
}
