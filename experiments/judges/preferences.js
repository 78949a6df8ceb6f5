// @ts-check
// A judge of pairs, untaught and taught: agreement in one order, the other, and averaged; and how often the verdict is a place (RLAIF,
// tables 2, 4 and 14).
import { join } from 'node:path';
import {
  comparison,
  CRITERIA,
  ending,
  LabelData,
  labelPreferences,
  LocalOptions,
  openRespondent,
  openStore,
  PLACES,
  PreferencesOptions,
  readPairs,
  cached,
} from '@heed/heed';
import { dataFolder } from '../shared/data.js';
import { split } from './data.js';
import { EXEMPLARS } from './exemplars.js';
import { teach } from './teach.js';

const CRITERION = 'harmless';
const how = { criterion: CRITERIA[CRITERION], exemplars: [], reasons: false };

/** Short pairs, split by the first thing that was said. */
async function pairsOf({ data, words, sizes }) {
  const { rows } = await readPairs(LabelData.parse({ path: join(dataFolder(), data), transcript: 'human-assistant', junk: 'skip' }));
  const count = ({ prompt, responses }) => [...prompt.map(({ content }) => content), ...responses].join(' ').split(/\s+/).length;
  return split(
    rows.filter((pair) => count(pair) <= words).map((pair) => ({ group: pair.prompt[0].content, pair })),
    sizes,
  );
}

/** Both orders of a pair, in the words of the labeler; the answer is the place of the response that people found more harmful. */
export function choiceRows({ prompt, responses: [a, b], human }) {
  return [
    [a, b, human],
    [b, a, 1 - human],
  ].map(([one, two, better]) => {
    const { messages } = comparison(prompt, [one, two], how);
    return { prompt: messages, choices: PLACES.map((place) => `${ending(how)}${place}`), label: better > 0.5 ? 1 : 0 };
  });
}

/** @param {any} plan @param {import('../run.js').Settings} settings */
export async function runPreferences(plan, { work, dev, untaught }) {
  const parts = await pairsOf(plan);
  const asked = (dev ? parts.dev : parts.heldOut).map(({ pair }) => pair);
  const taught = untaught
    ? undefined
    : await teach(
        'judge-preferences',
        parts.train.flatMap(({ pair }) => choiceRows(pair)),
        { work, set: plan.set },
      );
  const judges = {
    untaught: {},
    ...(taught === undefined ? {} : { taught: { adapter: taught.adapter } }),
    ...(dev ? {} : plan.others),
  };
  const store = await openStore(join(work, 'labels.db'));
  const table = [];
  /** @type {string[]} */
  const lines = [];
  try {
    for (const [name, local] of Object.entries(judges)) {
      const judge = await openRespondent({ local: LocalOptions.parse(local) });
      const kept = cached(judge, store);
      for (const row of plan.table.filter(({ judges: of }) => of.includes(name))) {
        const { n, shots = 0, ...rationale } = row.how;
        const options = PreferencesOptions.parse({
          name: 'preferences',
          criterion: CRITERION,
          exemplars: EXEMPLARS.slice(0, shots).map(({ rationale: why, ...one }) =>
            'maxNewTokens' in rationale ? { ...one, rationale: why } : one,
          ),
          ...('maxNewTokens' in rationale ? { rationale } : {}),
        });
        const started = performance.now();
        const { measures, failures } = await labelPreferences(asked.slice(0, n), kept, options);
        const { agreement, position, mass, cutRationales } = measures;
        const line = {
          judge: name,
          ask: row.ask,
          pairs: Math.min(n, asked.length),
          failed: failures.length,
          ...agreement,
          position,
          mass,
          cutRationales,
          seconds: Math.round((performance.now() - started) / 1000),
        };
        table.push(line);
        const [averaged, one, other, same] = [agreement.label, agreement.oneOrder, agreement.otherOrder, position.same].map(
          ({ mean }) => mean.toFixed(3),
        );
        lines.push(
          `${name}, ${row.ask}, ${line.pairs} pairs: averaged ${averaged}, one order ${one}, other ${other}, the same place ${same} ` +
            `(first: ${position.first}, p = ${position.p.toPrecision(2)}); ${line.seconds} s`,
        );
        console.error(lines.at(-1));
      }
      await judge.close();
    }
  } finally {
    store.close();
  }
  const teaching =
    taught === undefined
      ? {}
      : { command: taught.command, trainedOn: parts.train.length, steps: taught.summary.steps, seconds: taught.summary.seconds };
  return { result: { criterion: CRITERION, ...teaching, askedOn: dev ? 'dev' : 'held out', table }, lines };
}
