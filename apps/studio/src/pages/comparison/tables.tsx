/** Measurements and recipes of several runs. */
import type { ComparedMeasurement, Comparison, Value } from '../../api.js';
import { ValueCell } from '../../parts/measured.js';
import { titleOf } from '../../sides.js';
import { interval, writerOf } from '../../write.js';

const titles = ({ sides }: Comparison): string[] => sides.map(({ side }) => titleOf(side, sides.map((one) => one.side)));

export function MeasurementComparison({ comparison }: { readonly comparison: Comparison }) {
  const { rows, sides } = comparison;
  if (rows.length === 0) {
    return <p class="quiet">None of these runs measured anything on held-out rows. Name some in the recipe: <code>evaluate.prompts</code> of
      {' '}<code>heed align</code>, <code>data.eval</code> of <code>heed train</code>.</p>;
  }
  const names = titles(comparison);
  return (
    <div class="scroll">
      <table class="cards compared">
        <caption>Measured on held-out rows <span class="quiet">with 95 % intervals</span></caption>
        <thead>
          <tr><th><span class="unseen">measurement</span></th>{names.map((name) => <th key={name} scope="col">{name}</th>)}</tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.name}>
              <th scope="row">{row.title} {row.better && <span class="quiet">{row.better} is better</span>}</th>
              {row.cells.map(({ value, against }, i) => (
                <td key={sides[i]!.side} data-label={names[i]}>
                  <ValueCell value={value} write={writerOf(row).value} />
                  {against && <Against row={row} value={against} baseline={names[0]!} />}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** A paired difference from the baseline, and whether it may be chance. */
function Against({ row, value, baseline }: { readonly row: ComparedMeasurement; readonly value: Value; readonly baseline: string }) {
  const { difference } = writerOf(row);
  const { low = 0, high = 0, mean, n } = value;
  const sure = low > 0 || high < 0;
  const good = row.better !== undefined && sure && (low > 0) === (row.better === 'higher');
  const bad = row.better !== undefined && sure && !good;
  const sign = [good && '▲', bad && '▼', !sure && '≈'].find(Boolean) ?? '';
  return (
    <span class={`against ${good ? 'good' : ''} ${bad ? 'bad' : ''}`} title={`paired over ${n} prompts that ${baseline} answered too`}>
      <span aria-hidden="true">{sign}</span> {difference(mean)}
      <span class="range">{interval(value, difference)}{!sure && ', may be chance'}, n {n}</span>
    </span>
  );
}

export function RecipeComparison({ comparison }: { readonly comparison: Comparison }) {
  const { recipe, sides } = comparison;
  if (recipe.length === 0) return <p class="quiet">Their recipes say the same, but for the folder of the run.</p>;
  const names = titles(comparison);
  return (
    <div class="scroll">
      <table class="cards compared">
        <caption>What their recipes say differently</caption>
        <thead><tr><th scope="col">key</th>{names.map((name) => <th key={name} scope="col">{name}</th>)}</tr></thead>
        <tbody>
          {recipe.map(({ key, values }) => (
            <tr key={key}>
              <th scope="row"><code>{key}</code></th>
              {values.map((value, i) => (
                <td key={sides[i]!.side} data-label={names[i]}><code class={value === values[0] ? '' : 'other'}>{value}</code></td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
