import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

/** A dialog over the page. Escape and the button close it; the focus goes back to where it was. */
export function Dialog({ title, close, children }: {
  readonly title: string; readonly close: () => void; readonly children: ComponentChildren;
}) {
  const ref = useRef<HTMLDialogElement>(null);
  useEffect(() => { ref.current?.showModal(); }, []);
  return (
    <dialog
      ref={ref} aria-label={title} onClose={close}
      onClick={(event) => { if (event.target === ref.current) ref.current?.close(); }}
      onKeyDown={(event) => { if (event.key === '?') { event.preventDefault(); ref.current?.close(); } }}
    >
      <header>
        <h2>{title}</h2>
        <button type="button" class="plain" onClick={() => ref.current?.close()}>Close <kbd>Esc</kbd></button>
      </header>
      {children}
    </dialog>
  );
}
