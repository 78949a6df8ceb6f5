/** Measurements on held-out rows. */
import type { Measurement, Value } from '../api.js';
import { interval, writerOf } from '../write.js';

/** A value with its interval below it. */
export function ValueCell({ value, write }: { readonly value: Value | undefined; readonly write: (value: number) => string }) {
  if (value === undefined) return <>–</>;
  const range = interval(value, write);
  return <>{write(value.mean)}{range !== '' && <span class="range">{range}</span>}</>;
}

/** The one number that a run is about. */
export function Headline({ metric, measurement }: { readonly metric?: string; readonly measurement: Measurement }) {
  const { title, before, after, better, says } = measurement;
  const write = writerOf(measurement).value;
  return (
    <div class="headline">
      <p class="metric">{metric ?? `${title} on held-out rows`}</p>
      <p class="big">
        <span class="was">{write(before!.mean)}</span> <span class="arrow" role="img" aria-label="to">→</span>{' '}
        <span class="is">{write(after!.mean)}</span>
      </p>
      <p class="lede">{says} {better && `${better === 'lower' ? 'Lower' : 'Higher'} is better.`}</p>
    </div>
  );
}

/** All of them, before and after. */
export function MeasurementTable({ measurements }: { readonly measurements: readonly Measurement[] }) {
  return (
    <div class="scroll">
      <table class="cards">
        <caption>Measured on held-out rows <span class="quiet">with 95 % intervals</span></caption>
        <thead>
          <tr>
            <th><span class="unseen">measurement</span></th><th scope="col">before</th><th scope="col">after</th><th scope="col">change</th>
          </tr>
        </thead>
        <tbody>
          {measurements.map((one) => {
            const { value, difference } = writerOf(one);
            return (
              <tr key={one.name}>
                <th scope="row">{one.title} {one.better && <span class="quiet">{one.better} is better</span>}</th>
                <td data-label="before"><ValueCell value={one.before} write={value} /></td>
                <td data-label="after" class="strong"><ValueCell value={one.after} write={value} /></td>
                <td data-label="change"><ValueCell value={one.change} write={difference} /></td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
