import type { RunStatus } from '../api.js';

const SIGNS: Readonly<Record<RunStatus, string>> = { running: '●', stopping: '◐', ended: '✓', stopped: '■', failed: '✗' };

/** How a run is: a sign and a word, so that it is not said by colour alone. */
export const Status = ({ status }: { readonly status: RunStatus }) => (
  <span class={`status ${status}`}><span aria-hidden="true">{SIGNS[status]}</span> {status}</span>
);
