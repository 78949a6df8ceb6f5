/** Asks for the token of a studio that others can reach. */
import { useSignal } from '@preact/signals';

import { type ServerError, locked, post } from './server.js';

export function Door() {
  const said = useSignal('');
  const enter = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const token = new FormData(event.currentTarget as HTMLFormElement).get('token');
    try {
      await post('session', { token });
      locked.value = false;
    } catch (error) {
      said.value = (error as ServerError).message;
    }
  };
  return (
    <main class="door">
      <h1>Heed studio</h1>
      <form onSubmit={(event) => void enter(event)}>
        <label>Token <input name="token" type="password" autocomplete="current-password" required /></label>
        <button type="submit">Enter</button>
        <p role="status" class="quiet">{said.value || 'It is what HEED_STUDIO_TOKEN held when the studio was started.'}</p>
      </form>
    </main>
  );
}
