/** `heed control`: a small network learns which sampling options suit which prompt. */
import type { Command } from 'commander';

import type { ControlSummary } from '../loop/control/job.js';
import type { ControlRecipe } from '../loop/control/recipe.js';
import type { Measured } from '../run/job.js';
import { examples } from './help.js';
import type { Output } from './output.js';
import { shellWord, table } from './output.js';

interface Options { readonly resume?: boolean; readonly overwrite?: boolean }

export function register(program: Command, out: Output): void {
  program
    .command('control')
    .description('train a controller: it sees a prompt and sets temperature, top-k and masks; the model stays as it is')
    .addHelpText('after', examples('heed control recipes/controller.yaml'))
    .argument('<recipe>', 'a YAML recipe, such as recipes/controller.yaml')
    .argument('[overrides...]', 'recipe values: key=value, such as learn.rounds=20')
    .option('--resume', 'go on with the run in run.dir where it stopped')
    .option('--overwrite', 'remove the run in run.dir first')
    .action(async (file: string, overrides: string[], { resume = false, overwrite = false }: Options) => {
      const [{ CONTROL_FILES, CONTROL_FREE, ControlRecipe }, { runControl }, { loadRecipe }] = await Promise.all([
        import('../loop/control/recipe.js'), import('../loop/control/job.js'), import('../run/recipe.js'),
      ]);
      const [{ openRun }, { createProgress }, { onInterrupt }, { withModuleOptions }] = await Promise.all([
        import('../run/folder.js'), import('../run/progress.js'), import('../run/signals.js'), import('../reward/module-options.js'),
      ]);
      const { recipe, text } = await withModuleOptions(await loadRecipe(file, overrides, ControlRecipe));
      const run = await openRun(recipe.run.dir, { recipe: text, resume, overwrite, free: CONTROL_FREE, files: CONTROL_FILES });
      const interrupt = onInterrupt();
      try {
        const summary = await runControl(recipe, run, { progress: createProgress(), interrupt, say: (line) => out.note(line) });
        out.result({ run: run.dir, ...summary }, render(summary, run.dir, recipe));
      } finally {
        interrupt.dispose();
        await run.close();
      }
    });
}

const digits = (x: number): string => x.toPrecision(3);

function show(measured: Measured | undefined): string {
  if (measured === undefined) return '-';
  if (typeof measured === 'number') return digits(measured);
  return `${digits(measured.mean)}  [${digits(measured.low)}, ${digits(measured.high)}]`;
}

/** The command that talks to the model under its new controller: with the weights and the template that it was trained with. */
function useIt({ model, adapter, template }: ControlRecipe, dir: string, task: string | undefined): string {
  const given = { model, adapter, template, controller: `${dir}/controller`, task };
  const flags = Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [`--${name} ${shellWord(value)}`]));
  return `use it:  npx heed chat ${flags.join(' ')}`;
}

function render(
  { best, before, after, greedy, change, heldOut, headroom, policy, tasks, seconds }: ControlSummary, dir: string, recipe: ControlRecipe,
): string {
  const keys = ['value', 'satisfied', 'medianWords'].filter((key) => key in before);
  const line = (name: string, measured: Readonly<Record<string, Measured>>): string[] => [name, ...keys.map((key) => show(measured[key]))];
  const several = Object.keys(tasks).length > 1;
  return [
    '',
    table([
      [`${heldOut} held-out prompts`, ...keys.map((key) => ({ value: 'reward', satisfied: 'satisfied', medianWords: 'words' })[key]!)],
      ...(greedy === undefined ? [] : [line('greedy', greedy)]),
      line(`${best} (best fixed)`, before),
      line('controller', after),
      line('change', change),
    ]),
    '',
    ...(several ? [table([
      ['task', 'best fixed of all', "task's own best", 'controller'],
      ...Object.entries(tasks).map(([name, one]) => [name, digits(one.before), `${digits(one.own)} (${one.best})`, digits(one.after)]),
    ]), ''] : []),
    `headroom on validation prompts ${digits(headroom.headroom)}${headroom.worthwhile ? '' : ': next to nothing to learn'}`,
    `the controller takes ${best} in ${Math.round(100 * policy.agreement)} % of its choices; entropy ${policy.entropy.toFixed(2)}`,
    `time ${seconds.toFixed(0)} s`,
    useIt(recipe, dir, several ? Object.keys(tasks)[0] : undefined),
  ].join('\n');
}
