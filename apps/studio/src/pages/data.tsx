/** Data: from a file to a run. Drop it, see what it is, see what the model sees, start. */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';

import type { Look, LookRequest, Speakers } from '../api.js';
import type { Page } from '../page.js';
import { Failure, Waiting } from '../parts/state.js';
import { place } from '../router.js';
import { usePosted, useServer } from '../server.js';
import { Columns } from './data/columns.js';
import { Drop } from './data/drop.js';
import { Methods } from './data/methods.js';
import { Ready } from './data/ready.js';
import { Remarks } from './data/remarks.js';
import { Rows } from './data/rows.js';
import type { Told } from './data/told.js';
import '../style/tokens.css';
import '../style/data.css';

function Data() {
  const file = place.value.params.get('file') ?? undefined;
  const speakers = useServer<Speakers>('api/speakers');
  const bases = speakers.value?.speakers.filter(({ run }) => run === undefined) ?? [];
  const told = useSignal<Told>({});
  const chosen = useSignal<string | undefined>(undefined);
  useEffect(() => { told.value = {}; }, [file]);
  const speaker = chosen.value ?? bases[0]?.id;
  const ask = file === undefined || speaker === undefined ? undefined : { file, speaker, ...told.value };
  const { value: look, body: asked, error, waits } = usePosted<Look, LookRequest>('data/look', ask);
  const tell = (more: Told): void => { told.value = { ...told.value, ...more }; };
  const shown = look?.file === file ? look : undefined;
  return (
    <>
      <div class="head"><h1>Data {file && <span class="quiet">{file}</span>}</h1></div>
      <Drop file={file} />
      {error && <Failure error={error} />}
      {waits && shown === undefined && <Waiting what="Reading the file" />}
      {asked && shown && (
        <>
          <Columns look={shown} told={told.value} tell={tell} />
          {shown.problem && <Problem {...shown.problem} />}
          {shown.leftOut.length > 0 && <Remarks title="Left out" remarks={shown.leftOut} />}
          {shown.plan && (
            <>
              <Methods
                plan={shown.plan} tell={tell} bases={bases} speaker={asked.speaker} choose={(id) => { chosen.value = id; }}
              />
              <Rows ask={asked} key={`${asked.file} ${shown.plan.method}`} />
              <Ready ask={asked} plan={shown.plan} />
            </>
          )}
        </>
      )}
    </>
  );
}

function Problem({ message, hints }: NonNullable<Look['problem']>) {
  return (
    <div class="failure" role="alert">
      <p>{message}</p>
      <p>Say in the table above what the columns are.</p>
      {hints.length > 0 && <details><summary>More</summary><ul>{hints.map((hint) => <li key={hint}>{hint}</li>)}</ul></details>}
    </div>
  );
}

export const dataPage: Page = { id: 'data', title: 'Data', key: 'd', view: Data };
