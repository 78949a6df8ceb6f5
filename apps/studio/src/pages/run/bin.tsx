/** Runs that were deleted. They lie in `.heed-bin` of the project folder. */
import type { Binned } from '../../api.js';
import { complain, say } from '../../parts/notices.js';
import { post, useServer } from '../../server.js';
import { ago } from '../../write.js';

export function Bin({ count, changed }: { readonly count: number; readonly changed: () => void }) {
  const { value: all = [] } = useServer<readonly Binned[]>(`api/bin?count=${count}`);
  const restore = async ({ id, run }: Binned): Promise<void> => {
    try {
      await post('bin/restore', { id });
      say(`${run} is back.`);
      changed();
    } catch (error) {
      complain(error);
    }
  };
  return (
    <section class="bin" aria-label="Bin">
      <h2>Bin</h2>
      {all.length === 0 && <p class="quiet">It is empty. A run that is deleted comes here, and can be put back.</p>}
      <ul>
        {all.map((one) => (
          <li key={one.id}>
            <span>{one.run}</span> <span class="quiet">deleted {ago(one.deleted)}</span>
            <button type="button" onClick={() => void restore(one)}>Put back</button>
          </li>
        ))}
      </ul>
      {all.length > 0 && <p class="quiet">Their files lie in .heed-bin of this folder; remove that by hand to free its space.</p>}
    </section>
  );
}
