import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

/** A dialog over the page. Escape and the button close it; the focus goes back to where it was. */
export function Dialog({ title, close, children }: {
  readonly title: string; readonly close: () => void; readonly children: ComponentChildren;
}) {
  const ref = useRef<HTMLDialogElement>(null);
  const shut = useRef(false);
  useEffect(() => { ref.current?.showModal(); }, []);
  // At once: a browser tells of a closed dialog later, when the next key may have opened another one.
  const shutNow = (): void => {
    if (shut.current) return;
    shut.current = true;
    ref.current?.close();
    close();
  };
  return (
    <dialog
      ref={ref} aria-label={title} onClose={shutNow} onCancel={(event) => { event.preventDefault(); shutNow(); }}
      onClick={(event) => { if (event.target === ref.current) shutNow(); }}
      onKeyDown={(event) => { if (event.key === '?') { event.preventDefault(); shutNow(); } }}
    >
      <header>
        <h2>{title}</h2>
        <button type="button" class="plain" onClick={shutNow}>Close <kbd>Esc</kbd></button>
      </header>
      {children}
    </dialog>
  );
}
