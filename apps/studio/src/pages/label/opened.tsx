/** A set that is opened: labelling, or what has come of it. */
import { useEffect } from 'preact/hooks';

import type { LabelCounting, LabelResults as Results } from '../../api.js';
import { useKeys } from '../../keys.js';
import { Failure, Waiting } from '../../parts/state.js';
import { addressOf, go, place, setParams } from '../../router.js';
import { apiUrl, useServer } from '../../server.js';
import { LabelResults } from './results.js';
import { counted, percent } from '../../write.js';
import { AskName, who } from './who.js';
import { Work } from './work.js';

const PARTS = [{ id: 'work', title: 'Label', key: 'w' }, { id: 'results', title: 'Results', key: 'a' }] as const;

export function OpenedSet({ id }: { readonly id: string }) {
  const shown = place.value.params.get('show') === 'results' ? 'results' : 'work';
  useKeys({
    Escape: { does: 'back to all sets', run: () => go(addressOf('label')) },
    ...Object.fromEntries(PARTS.map(({ id: part, title, key }) => [key, { does: title, run: () => setParams({ show: part }) }])),
  });
  return (
    <>
      <p class="back"><a href={addressOf('label')}>All sets</a> <kbd>Esc</kbd></p>
      <nav class="parts" aria-label="Parts of the set">
        {PARTS.map(({ id: part, title, key }) => (
          <button key={part} type="button" aria-current={part === shown ? 'true' : undefined} onClick={() => setParams({ show: part })}>
            {title} <kbd>{key}</kbd>
          </button>
        ))}
      </nav>
      {shown === 'results' && <Shown id={id} />}
      {shown === 'work' && (who.value === '' ? <AskName /> : <Work id={id} who={who.value} />)}
    </>
  );
}

/** Milliseconds between two looks at how far counting has come. */
const AGAIN = 250;

function Shown({ id }: { readonly id: string }) {
  const reveal = place.value.params.get('reveal') ?? undefined;
  const { value, error, again } = useServer<Results | LabelCounting>(apiUrl('label/results', { set: id, reveal }));
  useEffect(() => {
    if (value === undefined || !('counting' in value)) return;
    const timer = setTimeout(again, AGAIN);
    return () => clearTimeout(timer);
  }, [value]);
  if (value === undefined) return error ? <Failure error={error} again={again} /> : <Waiting what="Counting" />;
  if (!('counting' in value)) return <LabelResults results={value} />;
  const { set, counting: { done, of } } = value;
  return (
    <>
      <div class="head"><h1>{set.name}</h1></div>
      <Waiting what={`Counting what was said of ${counted(of, 'item')}: ${percent(done / of)}`} />
    </>
  );
}
