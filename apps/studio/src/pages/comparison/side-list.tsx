/** The sides of a comparison: which they are, which one is the baseline, and how each is drawn. */
import type { Comparison, Side } from '../../api.js';
import { addressOf } from '../../router.js';
import { LOOKS, beforeOf, runOf, setSides, titleOf } from '../../sides.js';

export function SideList({ sides, comparison }: { readonly sides: readonly Side[]; readonly comparison: Comparison | undefined }) {
  if (sides.length === 0) return null;
  const pin = (side: Side): void => setSides([side, ...sides.filter((one) => one !== side)]);
  const remove = (side: Side): void => setSides(sides.filter((one) => one !== side));
  const before = beforeOf(runOf(sides[0]!));
  const answered = comparison?.sides[0]?.line.heldOut !== undefined;
  return (
    <ul class="sides-list" aria-label="Compared runs">
      {sides.map((side, i) => {
        const title = titleOf(side, sides);
        const { colour, dash } = LOOKS[i % LOOKS.length]!;
        return (
          <li key={side}>
            <svg viewBox="0 0 28 8" width="28" height="8" aria-hidden="true">
              <line x1="0" x2="28" y1="4" y2="4" stroke={`var(${colour})`} stroke-width="2.5" stroke-dasharray={dash?.join(' ')} />
            </svg>
            <a href={addressOf('runs', { run: runOf(side) })}>{title}</a>
            {i === 0 && <span class="quiet">baseline</span>}
            {i > 0 && (
              <button type="button" class="plain" onClick={() => pin(side)} aria-label={`Make baseline: ${title}`}>Make baseline</button>
            )}
            <button type="button" class="plain" onClick={() => remove(side)} aria-label={`Take ${title} away`}>×</button>
          </li>
        );
      })}
      {answered && !sides.includes(before) && (
        <li>
          <button type="button" class="plain" onClick={() => setSides([before, ...sides])}>
            + the model before {titleOf(sides[0]!, sides)}
          </button>
        </li>
      )}
    </ul>
  );
}
