/** `heed feedback prune`: removes kept chats, with what was said of them. */
import { Argument, type Command } from 'commander';
import { examples } from './help.js';
import { number } from './model-flags.js';
import type { Output } from './output.js';

interface Options {
  readonly olderThan?: number;
  readonly inference?: string;
  readonly episode?: string;
}

export function register(program: Command, out: Output): void {
  program
    .command('feedback')
    .description('look after the chats that `heed serve --feedback` keeps')
    .addArgument(new Argument('<action>', 'prune: remove chats, with what was said of them').choices(['prune']))
    .argument('<file>', 'the database')
    .addHelpText('after', examples('heed feedback prune runs/feedback.db --older-than 90'))
    .option('--older-than <days>', 'those that are older', number)
    .option('--inference <id>', 'the answer with this id')
    .option('--episode <id>', 'all answers of this conversation')
    .action(async (_action: string, file: string, { olderThan, inference, episode }: Options) => {
      const [{ UserError }, { openKeptFeedback }] = await Promise.all([import('../errors.js'), import('../feedback/store.js')]);
      const which = [
        ...(olderThan === undefined ? [] : [{ olderThanDays: olderThan }]),
        ...(inference === undefined ? [] : [{ inference }]), ...(episode === undefined ? [] : [{ episode }]),
      ];
      if (which.length !== 1) throw new UserError('Say which chats to remove: one of --older-than, --inference and --episode.');
      const store = await openKeptFeedback(file);
      try {
        const removed = await store.prune(which[0]!);
        out.result(removed, `${removed.answers} answers and ${removed.feedback} pieces of feedback were removed from ${store.name}`);
      } finally {
        store.close();
      }
    });
}
