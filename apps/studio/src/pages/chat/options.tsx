import type { Signal } from '@preact/signals';

import type { Sampling } from './conversation.js';

/** How tokens are chosen. */
export function Options({ value }: { readonly value: Signal<Sampling> }) {
  const field = (name: keyof Sampling, label: string, least: number, most: number, step: number) => (
    <label>
      {label}{' '}
      <input
        type="number" min={least} max={most} step={step} value={value.value[name]}
        onChange={(event) => {
          const given = Number(event.currentTarget.value);
          value.value = { ...value.value, [name]: Number.isFinite(given) ? Math.max(least, Math.min(most, given)) : value.value[name] };
        }}
      />
    </label>
  );
  return (
    <details class="options">
      <summary>Sampling</summary>
      <div class="controls">
        {field('temperature', 'Temperature, 0 takes the likeliest', 0, 5, 0.1)}
        {field('topP', 'Top p', 0.05, 1, 0.05)}
        {field('maxTokens', 'Most tokens', 1, 4096, 1)}
        {field('seed', 'Seed', 0, 1_000_000, 1)}
      </div>
    </details>
  );
}
