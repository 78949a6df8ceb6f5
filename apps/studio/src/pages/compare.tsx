/** Compare: any number of runs beside each other, with differences from the first one. */
import type { Comparison } from '../api.js';
import { useKeys } from '../keys.js';
import type { Page } from '../page.js';
import { Failure, Waiting } from '../parts/state.js';
import { place, setParams } from '../router.js';
import { useServer } from '../server.js';
import { queryOf, sidesShown } from '../sides.js';
import { ComparedAnswerList } from './comparison/answers.js';
import { ComparedCurves } from './comparison/curves.js';
import { RunPicker } from './comparison/picker.js';
import { SideList } from './comparison/side-list.js';
import { MeasurementComparison, RecipeComparison } from './comparison/tables.js';
import '../style/compare.css';

const PARTS = [
  { id: 'numbers', title: 'Numbers' }, { id: 'answers', title: 'Answers' }, { id: 'curves', title: 'Curves' },
  { id: 'recipes', title: 'Recipes' },
] as const;

function Compare() {
  const sides = sidesShown();
  const shown = PARTS.find(({ id }) => id === place.value.params.get('show'))?.id ?? 'numbers';
  const { value, error, again } = useServer<Comparison>(sides.length === 0 ? undefined : `api/compare?${queryOf(sides)}`);
  useKeys(Object.fromEntries(PARTS.map(({ id, title }, i) => [String(i + 1), { does: title, run: () => setParams({ show: id }) }])));
  return (
    <>
      <div class="head"><h1>Compare</h1></div>
      {sides.length === 0 && (
        <div class="intro">
          <p>
            Which of two adapters is better, and at what? Choose runs: their measurements, their answers to the same prompts and their
            curves stand beside each other. The first one is the baseline, from which the differences of the others are counted.
          </p>
        </div>
      )}
      <SideList sides={sides} comparison={value} />
      <RunPicker sides={sides} open={sides.length < 2} />
      {error && <Failure error={error} again={again} />}
      {sides.length > 0 && value === undefined && !error && <Waiting what="Comparing" />}
      {value && (
        <>
          {value.notes.map((note) => <p key={note} class="note heed">{note}</p>)}
          <nav class="parts" aria-label="Parts of the comparison">
            {PARTS.map(({ id, title }, i) => (
              <button key={id} type="button" aria-current={id === shown ? 'true' : undefined} onClick={() => setParams({ show: id })}>
                {title} {id === 'answers' && <span class="quiet">{value.prompts}</span>} <kbd>{i + 1}</kbd>
              </button>
            ))}
          </nav>
          {shown === 'numbers' && <MeasurementComparison comparison={value} />}
          {shown === 'answers' && <ComparedAnswerList sides={value.sides.map(({ side }) => side)} />}
          {shown === 'curves' && <ComparedCurves sides={value.sides.map(({ side }) => side)} />}
          {shown === 'recipes' && <RecipeComparison comparison={value} />}
        </>
      )}
    </>
  );
}

export const comparePage: Page = { id: 'compare', title: 'Compare', key: 'c', view: Compare };
