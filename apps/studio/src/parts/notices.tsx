/** What just happened, in a line at the foot of the page; it goes by itself, and a screen reader speaks it. */
import { signal } from '@preact/signals';

interface Notice { readonly text: string; readonly bad: boolean; readonly undo?: { readonly label: string; readonly run: () => void } }

const notice = signal<Notice | undefined>(undefined);
let timer: ReturnType<typeof setTimeout> | undefined;

/** Says something. @param undo a way back, as a button */
export function say(text: string, undo?: Notice['undo']): void {
  show({ text, bad: false, undo });
}

/** Says what went wrong, until it is closed. */
export function complain(error: unknown): void {
  show({ text: error instanceof Error ? error.message : String(error), bad: true });
}

function show(next: Notice): void {
  clearTimeout(timer);
  notice.value = next;
  if (!next.bad) timer = setTimeout(close, 10_000);
}

function close(): void {
  notice.value = undefined;
}

export function Notices() {
  const shown = notice.value;
  return (
    <div class="notices" role="status">
      {shown && (
        <p class={shown.bad ? 'notice bad' : 'notice'}>
          <span>{shown.text}</span>
          {shown.undo && <button type="button" onClick={() => { shown.undo!.run(); close(); }}>{shown.undo.label}</button>}
          <button type="button" class="plain" onClick={close}>Close</button>
        </p>
      )}
    </div>
  );
}
