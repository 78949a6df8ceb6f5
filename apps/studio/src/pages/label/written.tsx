/** Texts that a person writes beside a verdict; every key is kept. */
import { useRef } from 'preact/hooks';

import { useKeys } from '../../keys.js';

interface Props {
  readonly label: string;
  /** The key that leads here. */
  readonly press: string;
  readonly value: string;
  readonly rows?: number;
  readonly change: (text: string) => void;
  /** Ctrl+Enter. */
  readonly done: () => void;
  /** Fills in a beginning, where the key or the button leads here. */
  readonly enter?: () => void;
  /** What the button says that does so. */
  readonly start?: string;
  readonly hint?: string;
  /** What more can be done by keys; not shown where there are none. */
  readonly byKeys?: string;
}

export function Written({ label, press, value, rows = 2, change, done, enter, start, hint, byKeys }: Props) {
  const field = useRef<HTMLTextAreaElement>(null);
  const go = (): void => { enter?.(); field.current?.focus(); };
  useKeys({ [press]: { does: label.toLowerCase(), run: go } });
  return (
    <div class="written">
      <label>
        <span>
          {label} <kbd>{press}</kbd>{hint && <span class="quiet"> {hint}</span>}{byKeys && <span class="quiet keyboard">{byKeys}</span>}
        </span>
        <textarea
          ref={field} data-field={press} rows={rows} value={value} onInput={(event) => change(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
            event.preventDefault();
            event.currentTarget.blur();
            done();
          }}
        />
      </label>
      {enter && value === '' && <button type="button" class="plain small" onClick={go}>{start}</button>}
    </div>
  );
}

/** Leads to the text behind a key. */
export function toField(press: string): void {
  requestAnimationFrame(() => {
    const field = document.querySelector<HTMLTextAreaElement>(`textarea[data-field=${press}]`);
    field?.focus();
    field?.setSelectionRange(field.value.length, field.value.length);
  });
}
