/** What stands in the place of something that is not there yet. */
import type { ServerError } from '../server.js';

/** A refusal in the server's words, with its ways out. */
export function Failure({ error, again }: { readonly error: ServerError; readonly again?: () => void }) {
  return (
    <div class="failure" role="alert">
      <p>{error.message}</p>
      {error.hints.length > 0 && <ul>{error.hints.map((hint) => <li key={hint}>{hint}</li>)}</ul>}
      {again && <button type="button" onClick={again}>Try again</button>}
    </div>
  );
}

/** Shown only where something takes longer than a blink. */
export const Waiting = ({ what }: { readonly what: string }) => <p class="waiting quiet" role="status">{what} …</p>;
