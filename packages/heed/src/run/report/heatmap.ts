/** The heat map: every token of a response is coloured by log q/p, and those pushed down are marked. */
import type { HeatmapSample } from './data.js';
import { html } from './html.js';
import type { Html } from './html.js';
import { number } from './format.js';

const MAX_MAPS = 40;
const MAX_TOKENS = 2_000;
const MAX_WORDS = 16;

/** Where the colour is full: the 98th percentile of |log q/p|, at least 1. */
export function scaleLimit(samples: readonly HeatmapSample[]): number {
  const sizes = samples
    .flatMap(({ logRatio }) => logRatio)
    .filter((value) => value !== null && Number.isFinite(value))
    .map((value) => Math.abs(value ?? 0))
    .sort((a, b) => a - b);
  return Math.max(1, sizes[Math.floor(0.98 * (sizes.length - 1))] ?? 1);
}

function tone(logRatio: number | undefined): 'more' | 'less' | 'none' {
  if (logRatio === undefined) return 'none';
  return logRatio >= 0 ? 'more' : 'less';
}

function token(text: string, value: number | null, flagged: boolean, limit: number): Html {
  const shown = text.replaceAll('\n', '⏎\n');
  const finite = value !== null && Number.isFinite(value) ? value : undefined;
  const strength = finite === undefined ? 0 : Math.min(1, Math.abs(finite) / limit);
  const attributes = html`class="t ${tone(finite)}" style="--a:${strength.toFixed(2)}" data-v="${finite?.toFixed(4)}"`;
  return flagged ? html`<mark ${attributes}>${shown}</mark>` : html`<span ${attributes}>${shown}</span>`;
}

function card(sample: HeatmapSample, limit: number): Html {
  const count = sample.flagged.filter(Boolean).length;
  const hidden = sample.tokens.length - MAX_TOKENS;
  const tokens = sample.tokens
    .slice(0, MAX_TOKENS)
    .map((text, i) => token(text, sample.logRatio[i] ?? null, sample.flagged[i] ?? false, limit));
  const step = typeof sample.step === 'number' && html` <span class="quiet">step ${sample.step}</span>`;
  const pushed = html`<span class="count">${count} of ${sample.tokens.length} tokens pushed down</span>`;
  return html`<article class="map">
    <header><span class="id">${sample.id}</span>${step}${pushed}</header>
    <p class="prompt">${sample.prompt}</p>
    <div class="tokens">${tokens}${hidden > 0 && html`<span class="quiet"> … ${hidden} more tokens not shown</span>`}</div>
    ${sample.judgment && html`<p class="judgment"><b>Judgment</b> ${sample.judgment}</p>`}
  </article>`;
}

/** The tokens pushed down most often, over all samples. */
function mostPushed(samples: readonly HeatmapSample[]): { shown: string; n: number }[] {
  const counts = new Map<string, { shown: string; n: number }>();
  for (const { tokens, flagged } of samples) {
    for (const [i, text] of tokens.entries()) {
      const shown = text.trim();
      if (!flagged[i] || !shown) continue;
      const entry = counts.get(shown.toLowerCase()) ?? { shown, n: 0 };
      entry.n++;
      counts.set(shown.toLowerCase(), entry);
    }
  }
  return [...counts.values()].sort((a, b) => b.n - a.n).slice(0, MAX_WORDS);
}

/** The heat maps with their legend; those with marked tokens first, at most 40. */
export function heatmaps(samples: readonly HeatmapSample[]): Html {
  const limit = scaleLimit(samples);
  const marked = (sample: HeatmapSample): boolean => sample.flagged.includes(true);
  const shown = [...samples.filter(marked), ...samples.filter((sample) => !marked(sample))].slice(0, MAX_MAPS);
  const words = mostPushed(samples).map(({ shown: word, n }) => html`<span class="word">${word} <small>${n}</small></span> `);
  return html`<p class="how"><i>p</i> is the model's probability of a token after the prompt, <i>q</i> after the prompt and the judgment.
      A judgment makes the words that it speaks about more likely: training pushes those tokens down.</p>
    <div class="legend">
      <span>−${number(limit)}</span><span class="ramp" aria-hidden="true"></span><span>+${number(limit)}</span>
      <span class="quiet">log q/p: less likely, or more likely, once the judgment is read</span>
      <span><mark class="t more" style="--a:.7">like this</mark> <span class="quiet">pushed down</span></span>
    </div>
    ${words.length > 0 && html`<p class="words"><b>Pushed down most</b> ${words}</p>`}
    ${shown.length < samples.length &&
      html`<p class="note">${shown.length} of ${samples.length} responses are shown; all are in samples.jsonl.</p>`}
    ${shown.map((sample) => card(sample, limit))}`;
}
