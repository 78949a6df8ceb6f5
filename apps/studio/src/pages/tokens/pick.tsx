/** Picks a response that was judged: one that a run has looked at, or a row of a file. */
import { useSignal } from '@preact/signals';

import type { DataFiles, Heatmap, JudgedShown, Part, RunList, Turn } from '../../api.js';
import { Dialog } from '../../parts/dialog.js';
import { Failure, Waiting } from '../../parts/state.js';
import { apiUrl, useServer } from '../../server.js';
import { type Shown, ofHeatmap } from './shown.js';

/** What is picked. `shown`: the numbers that are there already. */
export interface Picked {
  readonly prompt: readonly Turn[];
  readonly response: string;
  readonly judgment: string;
  readonly shown?: Shown;
  readonly run?: string;
}

interface Props { readonly close: () => void; readonly pick: (picked: Picked) => void }

const PAGE = 50;

export function Pick({ close, pick }: Props) {
  const runs = useServer<RunList>('api/runs');
  const files = useServer<DataFiles>('api/files');
  const source = useSignal<string | undefined>(undefined);
  const all = [
    ...(runs.value?.runs ?? []).filter(({ method }) => method === 'cut').map(({ run }) => ({ id: `run ${run}`, title: `run ${run}` })),
    ...(files.value?.files ?? []).map(({ file }) => ({ id: `file ${file}`, title: file })),
  ];
  const [kind, ...rest] = (source.value ?? all[0]?.id ?? '').split(' ');
  const name = rest.join(' ');
  return (
    <Dialog title="Pick a response" close={close}>
      {all.length === 0 && (runs.value && files.value
        ? <p>There is no CUT run in this folder and no file of rows. Type a response, or put a file with judgments into the folder.</p>
        : <Waiting what="Looking for runs and files" />)}
      {all.length > 0 && (
        <label class="field">
          From
          <select value={`${kind} ${name}`} onChange={(event) => { source.value = event.currentTarget.value; }}>
            {all.map(({ id, title }) => <option key={id} value={id}>{title}</option>)}
          </select>
        </label>
      )}
      {kind === 'run' && <FromRun run={name} pick={pick} />}
      {kind === 'file' && <FromFile file={name} pick={pick} />}
    </Dialog>
  );
}

function FromRun({ run, pick }: { readonly run: string; readonly pick: Props['pick'] }) {
  const { value, error } = useServer<Part<Heatmap>>(apiUrl('run/heatmaps', { run, limit: PAGE }));
  if (error) return <Failure error={error} />;
  if (value === undefined) return <Waiting what="Reading the run" />;
  const items = value.items.map((item) => ({
    id: `${item.id}/${item.step}`, title: item.prompt, text: item.judgment ?? 'no judgment', take: () => pick(ofRun(item, run)),
  }));
  return <List items={items} total={value.total} none="This run has kept no marked tokens." />;
}

/** The control token at the end of a response is the template's. */
const ofRun = (item: Heatmap, run: string): Picked => ({
  prompt: [{ role: 'user', content: item.prompt }], response: item.tokens.join('').replace(/(?:<\|[^<>|]+\|>|<\/?s>|<[a-z_]+>)$/, ''),
  judgment: item.judgment ?? '', shown: ofHeatmap(item, run), run,
});

function FromFile({ file, pick }: { readonly file: string; readonly pick: Props['pick'] }) {
  const { value, error } = useServer<Part<JudgedShown>>(apiUrl('tokens/rows', { file, limit: PAGE }));
  if (error) return <Failure error={error} />;
  if (value === undefined) return <Waiting what="Reading the file" />;
  const items = value.items.map(({ id, ...row }, i) => (
    { id: `${id}/${i}`, title: row.judgment, text: row.response, take: () => pick(row) }
  ));
  return <List items={items} total={value.total} none="No row of this file has a judgment that finds fault." />;
}

interface Item { readonly id: string; readonly title: string; readonly text: string; readonly take: () => void }

function List({ items, total, none }: { readonly items: readonly Item[]; readonly total: number; readonly none: string }) {
  if (items.length === 0) return <p class="quiet">{none}</p>;
  return (
    <>
      <ul class="picks">
        {items.map(({ id, title, text, take }) => (
          <li key={id}><button type="button" onClick={take}><span>{title}</span><span class="quiet">{text}</span></button></li>
        ))}
      </ul>
      {total > items.length && <p class="note">The first {items.length} of {total} are listed.</p>}
    </>
  );
}
