/** Takes a file: dropped, chosen, or one of the project folder. */
import { useSignal } from '@preact/signals';
import { useRef } from 'preact/hooks';

import type { DataFiles } from '../../api.js';
import { useKeys } from '../../keys.js';
import { complain, say } from '../../parts/notices.js';
import { addressOf, go } from '../../router.js';
import { apiUrl, send, useServer } from '../../server.js';

export function Drop({ file }: { readonly file: string | undefined }) {
  const { value: there, again } = useServer<DataFiles>('api/files');
  const over = useSignal(false);
  const busy = useSignal(false);
  const input = useRef<HTMLInputElement>(null);
  const open = (path: string): void => go(addressOf('data', { file: path }));
  const take = async (given: File | undefined): Promise<void> => {
    if (given === undefined || busy.value) return;
    busy.value = true;
    try {
      const { file: kept } = await send<{ readonly file: string }>(apiUrl('data/upload', { name: given.name }), given);
      say(`It is kept as ${kept}.`);
      again();
      open(kept);
    } catch (error) {
      complain(error);
    } finally {
      busy.value = false;
    }
  };
  useKeys({ o: { does: 'open a file', run: () => input.current?.click() } });
  return (
    <>
      {file === undefined && (
        <p class="lede">
          Drop a log of answers and what people said of them: thumbs, stars, comments, corrections or pairs. You see what is
          recognised and what the model sees, and start a training run. The file is copied into <code>data</code> of this folder.
        </p>
      )}
      <div
        class={over.value ? 'drop over' : 'drop'}
        onDragOver={(event) => { event.preventDefault(); over.value = true; }} onDragLeave={() => { over.value = false; }}
        onDrop={(event) => { event.preventDefault(); over.value = false; void take(event.dataTransfer?.files[0]); }}
      >
        <label class="button">
          {busy.value ? 'Copying …' : <>Open a file <kbd>o</kbd></>}
          <input
            ref={input} type="file" accept=".jsonl,.ndjson,.json,.csv,.tsv,.gz,.parquet" disabled={busy.value}
            onChange={(event) => void take(event.currentTarget.files?.[0])}
          />
        </label>
        <span class="quiet">or drop it here: JSONL, JSON, CSV, TSV, Parquet</span>
        {there && there.files.length > 0 && (
          <label>
            <span class="quiet">or of this folder</span>{' '}
            <select value={file ?? ''} onChange={(event) => open(event.currentTarget.value)}>
              {file === undefined && <option value="">choose</option>}
              {[...new Set([...(file === undefined ? [] : [file]), ...there.files.map((one) => one.file)])].map((one) => (
                <option key={one} value={one}>{one}</option>
              ))}
            </select>
          </label>
        )}
      </div>
    </>
  );
}
