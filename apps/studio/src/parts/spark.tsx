/** A curve of the size of a word. What it shows stands beside it in numbers. */
export function Spark({ values }: { readonly values: readonly number[] }) {
  if (values.length < 2) return <span class="spark" />;
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const x = (i: number): string => ((96 * i) / (values.length - 1) + 2).toFixed(1);
  const y = (value: number): string => (22 - (20 * (value - least)) / (most - least || 1)).toFixed(1);
  return (
    <svg class="spark" viewBox="0 0 100 24" preserveAspectRatio="none" aria-hidden="true">
      <polyline points={values.map((value, i) => `${x(i)},${y(value)}`).join(' ')} />
    </svg>
  );
}
