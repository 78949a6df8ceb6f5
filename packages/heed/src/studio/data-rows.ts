/** Rows as a model sees them: the template written out, and which tokens are learned. */
import { z } from 'zod';
import { parse } from 'yaml';

import { measureLengths } from '../data/lengths.js';
import { METHODS, MethodOptions, methodOfRecipe } from '../method/index.js';
import type { BoundMethod } from '../method/method.js';
import type { Model } from '../model/load.js';
import type { StartPlan } from '../start/plan.js';
import { createRespond } from '../text/respond.js';
import type { TokenSequence } from '../text/token-sequence.js';
import type { SeenRow, SeenRows, SeenTokens } from './api.js';
import { rowsIn } from './data-look.js';

/** Rows whose tokens are counted. */
const COUNTED = 400;

/** The method of a recipe. */
const methodIn = (recipe: string): BoundMethod =>
  methodOfRecipe(z.looseObject({ method: MethodOptions }).parse(parse(recipe)).method, METHODS);

export async function seenRows(
  plan: StartPlan, { template, tokenizer, architecture: { context } }: Model,
  { offset, limit }: { readonly offset: number; readonly limit: number },
): Promise<SeenRows> {
  const method = methodIn(plan.recipe);
  const { train } = rowsIn(plan);
  const text = createRespond(template);
  const sequencesOf = (index: number): readonly (readonly [string, TokenSequence])[] =>
    Object.entries(method.sequences(train[index]!, text, { rows: train, index }))
      .flatMap(([name, list]) => list.map((s, i) => [list.length === 1 ? name : `${name} ${i + 1}`, s] as const));

  const seen = (name: string, { prompt, response, supervised }: TokenSequence): SeenTokens => ({
    name, texts: [...prompt, ...response].map((id) => tokenizer.tokenText(id)), promptTokens: prompt.length,
    supervised: [...prompt.map(() => false), ...(supervised ?? response.map(() => true))],
  });
  const rows = train.slice(offset, offset + limit).map((row, i): SeenRow => {
    const about = { where: `${row.source.unit ?? 'line'} ${row.source.line}`, numbers: numbersOf(method, row) };
    try {
      const reason = method.uses(row) ? method.unfit(row) : `It is left out: ${method.unused}.`;
      const sequences = sequencesOf(offset + i).map(([name, s]) => seen(name, s));
      return { ...about, sequences, problem: reason };
    } catch (error) {
      return { ...about, sequences: [], problem: error instanceof Error ? error.message : String(error) };
    }
  });

  const lengths: { prompt: number; response: number }[] = [];
  for (let index = 0; index < Math.min(COUNTED, train.length); index++) {
    // The event loop gets a turn now and then.
    if (index % 32 === 31) await new Promise((done) => setImmediate(done));
    try {
      const [first] = sequencesOf(index);
      if (first !== undefined) lengths.push({ prompt: first[1].prompt.length, response: first[1].response.length });
    } catch {
      // The row itself says why.
    }
  }
  const seenAll = { total: train.length, rows, template: template.name };
  if (lengths.length === 0) return seenAll;
  const { rows: counted, median, p95, max } = measureLengths(lengths);
  return { ...seenAll, lengths: { rows: counted, median, p95, max, context } };
}

const numbersOf = (method: BoundMethod, row: Parameters<BoundMethod['columnsOf']>[0]): Record<string, string> =>
  Object.fromEntries(Object.entries(method.columnsOf(row)).map(([name, value]) => [name, String(value)]));
