import type { Remarked } from '../../api.js';
import { number } from '../../write.js';

/** Rows with the same thing to say about them. */
export function Remarks({ title, remarks }: { readonly title: string; readonly remarks: readonly Remarked[] }) {
  return (
    <section aria-label={title}>
      <h3>{title}</h3>
      <ul class="remarks">
        {remarks.map(({ name, rows, lines, advice }) => (
          <li key={name}><b>{number(rows)}</b> {name}{advice && <>: {advice}</>} <span class="quiet">({lines})</span></li>
        ))}
      </ul>
    </section>
  );
}
