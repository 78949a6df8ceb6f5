/** Runs that are killed at random moments and resumed, compared to the last bit with a run that was never killed. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { createRandom } from '../../src/run/random.js';
import { heed } from '../cli/support.js';
import { bytes, heedStopped, log } from '../train/interrupted.js';

/** What a run was doing when it was killed. */
export type Phase = 'answering' | 'asking' | 'learning' | 'rating' | 'saving';

export interface KillCase {
  readonly verb: 'train' | 'align' | 'control';
  /** The recipe's file. */
  readonly recipe: string;
  /** Settings, `key=value` each. */
  readonly set?: readonly string[];
  /** Whether a judge is asked: its replies then have a store of each run's own. */
  readonly asks?: boolean;
}

/** How often a run of each name is killed, and the phases that must be among those kills. */
export type KillPlan = Readonly<Record<string, { readonly kills: number; readonly phases?: readonly Phase[] }>>;

function phaseOf(event: string): Phase {
  if (event.startsWith('ask')) return 'asking';
  if (event.startsWith('line')) return event.includes('"row":') ? 'answering' : 'learning';
  return event.includes('ratings.json') ? 'rating' : 'saving';
}

/** The events to kill at: of each phase in turn while it has any left, in an order that a seed names. */
function choose(events: readonly string[], count: number, name: string): number[] {
  const phases = createRandom('phases', name).shuffle([...new Set(events.map(phaseOf))]);
  const queues = phases.map((phase) => {
    const places = events.flatMap((event, i) => (phaseOf(event) === phase ? [i] : []));
    return createRandom('kills', name, phase).shuffle(places);
  });
  const turns = Array.from({ length: Math.max(...queues.map(({ length }) => length)) }, (_, turn) =>
    queues.flatMap((queue) => queue[turn] ?? []),
  );
  return turns.flat().slice(0, count);
}

/** What a summary says but for time and memory, and for what is counted since a resume. */
function summaryOf(dir: string): object {
  const summary = JSON.parse(readFileSync(join(dir, 'summary.json'), 'utf8')) as Record<string, unknown>;
  for (const name of ['seconds', 'trainingSeconds', 'peakRssMb', 'tokens', 'resumedFrom', 'asking']) delete summary[name];
  return summary;
}

/** Files that hold times, or name the run's own folder. */
const OWN = /^(metrics\.jsonl|recipe\.yaml|report\.html|summary\.json|checkpoints\/.*|work\/(clock|began).*|.*\.log)$/;

/** The files of a run that a kill may not change. */
const filesOf = (dir: string): string[] => readdirSync(dir, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map(({ parentPath, name }) => join(parentPath, name).slice(dir.length + 1))
  .filter((file) => !OWN.test(file));

/** A file for comparison. A kill changes the order in which the answers of a log are finished, and nothing else. */
function contentOf(dir: string, file: string): string {
  const content = bytes(dir, file).toString('latin1');
  return file.endsWith('.jsonl') ? content.split('\n').sort().join('\n') : content;
}

/**
 * Kills the run of each name as often as the plan says, at moments that a seed draws, each time in a run of its own; resumes it, and
 * compares it with one that was never killed: metrics, samples, summary, adapters, and every other file that holds results.
 *
 * @param prepare Writes the recipes that the plan names.
 */
export function describeKills(folder: string, plan: KillPlan, prepare: () => Promise<Readonly<Record<string, KillCase>>>): void {
  let cases: Readonly<Record<string, KillCase>>;
  beforeAll(async () => {
    cases = await prepare();
  });

  it.each(Object.entries(plan))('%s, killed at moments of its own, goes on to the same numbers', async (name, { kills, phases = [] }) => {
    const { verb, recipe, set = [], asks = false } = cases[name]!;
    const dirOf = (what: string): string => join(folder, `${name}-${what}`);
    const args = (what: string, ...more: string[]): string[] =>
      [verb, recipe, ...set, `run.dir=${dirOf(what)}`, ...(asks ? [`store=${dirOf(what)}.db`] : []), ...more];
    const whole = dirOf('whole');
    const list = join(folder, `${name}.events.json`);
    const ran = await heedStopped(args('whole'), { list });
    expect(ran.code, ran.err).toBe(0);
    const events = JSON.parse(readFileSync(list, 'utf8')) as string[];
    const files = filesOf(whole);
    expect(files).toEqual(expect.arrayContaining([expect.stringMatching(/^(adapter|controller)\//)]));

    const moments = choose(events, kills, name);
    expect(new Set(moments).size).toBe(kills);
    const met = moments.map((nth) => phaseOf(events[nth]!));
    expect([...new Set(met)].sort()).toEqual(expect.arrayContaining([...phases]));
    for (const nth of moments) {
      const what = `killed at event ${nth}: ${events[nth]!.slice(0, 120)}`;
      const killed = await heedStopped(args(String(nth)), { how: 'SIGKILL', nth });
      expect(killed.signal, `${what}\n${killed.err}`).toBe('SIGKILL');
      const resumed = await heed(args(String(nth), '--resume'));
      expect(resumed.code, `${what}\n${resumed.err}`).toBe(0);
      const dir = dirOf(String(nth));
      expect(log(dir), what).toEqual(log(whole));
      expect(summaryOf(dir), what).toEqual(summaryOf(whole));
      expect(files.filter((file) => contentOf(dir, file) !== contentOf(whole, file)), what).toEqual([]);
    }
    const counts = [...new Set(met)].map((phase) => `${met.filter((one) => one === phase).length} while ${phase}`).join(', ');
    console.log(`${name}: ${events.length} events, killed at ${kills}: ${counts}; ${files.length} files compared`);
  }, 3_600_000);
}
