/** `heed chat`: talk to a model, beside its base where asked. */
import type { Command } from 'commander';

import type { Conversation, Reply } from './conversation.js';
import { type ControllerFlags, checkControllerFlags, controllerFlags, underController } from './controller-flag.js';
import { examples } from './help.js';
import type { Output } from './output.js';
import {
  type DeviceFlag, type ModelFlags, type PrecisionFlag, type SamplingFlags,
  deviceFlag, loadAdaptedModel, modelFlags, precisionFlag, samplingFlags, samplingOf,
} from './model-flags.js';

interface Options extends ModelFlags, PrecisionFlag, DeviceFlag, SamplingFlags, ControllerFlags {
  readonly compare?: boolean;
  readonly system?: string;
}

/** A terminal with fewer columns shows the answers one below the other. */
const WIDE_ENOUGH = 100;

export function register(program: Command, out: Output): void {
  const command = program
    .command('chat')
    .description('talk to a model, with an adapter or without; from a pipe, each line is a turn')
    .addHelpText('after', examples('heed chat --adapter runs/cut --compare'))
    .option('--compare', 'answer with the base too, side by side')
    .option('--system <text>', 'a system message');
  const withModel = controllerFlags(modelFlags(command)).addOption(precisionFlag()).addOption(deviceFlag());
  samplingFlags(withModel, { maxTokens: 512, temperature: 0.7 })
    .addHelpText('after', '\nIn the chat:\n  /reset  forget what was said\n  /quit   leave; Ctrl-D too\n  Ctrl-C  stop the answer')
    .action((options: Options) => {
      checkControllerFlags(options, command);
      return chat(options, out);
    });
}

/** A model, with or without an adapter, that answers each turn. */
interface Speaker {
  readonly name: 'base' | 'adapter';
  readonly conversation: Conversation;
}

/** Which answer: the adapter beside its base, or one of them alone. */
function speakerNames(compare: boolean, adapted: boolean): readonly Speaker['name'][] {
  if (compare) return ['base', 'adapter'];
  return adapted ? ['adapter'] : ['base'];
}

async function chat({ compare = false, system, ...flags }: Options, out: Output): Promise<void> {
  const [{ UserError }, { openGenerator }, { foreseeWriting }, { createConversation, remark }, { openDeviceEngine }] = await Promise.all([
    import('../errors.js'), import('../generate/open.js'), import('../generate/memory.js'), import('./conversation.js'),
    import('../model/device.js'),
  ]);
  if (compare && flags.adapter === undefined) {
    throw new UserError('--compare sets an adapter beside its base.', ['Name it: --adapter FOLDER.']);
  }
  const sampling = await samplingOf(flags);
  const adapted = await loadAdaptedModel(flags, out);
  const { model, adapter } = adapted;
  const { context } = model.architecture;
  try {
    if (system !== undefined) model.template.prompt([{ role: 'system', content: system }, { role: 'user', content: 'Hello' }]);
  } catch (error) {
    throw new UserError(`--system: ${error instanceof Error ? error.message : String(error)}`);
  }

  const engine = await openDeviceEngine({ device: flags.device, say: (line) => out.note(line) });
  try {
    const names = speakerNames(compare, adapter !== undefined);
    // How long the conversation will be is not known: as if it had a thousand tokens before the answer.
    const asked = { model, precision: flags.precision, batch: 1, prompts: [1024], maxNewTokens: sampling.maxNewTokens };
    const setups = names.map((name) => ({ ...asked, plan: name === 'adapter' ? adapter?.plan : undefined }));
    foreseeWriting(engine, setups, { maxNewTokens: '--max-tokens ', precision: '--precision ' }, (line) => out.note(line));
    const speakers: Speaker[] = [];
    for (const name of names) {
      const own = name === 'adapter' ? adapter : undefined;
      const plain = await openGenerator(engine, model, { batch: 1, precision: flags.precision, adapter: own });
      // With --compare the base answers as the flags say: the controller was trained with the adapter.
      const generator = own === adapter ? await underController(flags, plain, engine, adapted) : plain;
      speakers.push({ name, conversation: createConversation(model, generator, { sampling, system }) });
    }
    const turns: { prompt: string; answers: Partial<Record<Speaker['name'], Reply>> }[] = [];
    const who = `${model.checkpoint.id}${flags.adapter === undefined ? '' : ` with the adapter ${flags.adapter}`}`;
    const memory = model.template.name === 'alpaca' ? ' This model takes one turn at a time: it does not remember.' : '';
    const { readTurns } = await import('./turns.js');
    await readTurns({
      out,
      banner: `${who}${compare ? ', beside its base' : ''}. ` +
        `/reset forgets what was said, /quit or Ctrl-D leaves, Ctrl-C stops an answer.${memory}`,
      reset: () => speakers.forEach(({ conversation }) => conversation.reset()),
      async answer(prompt, signal) {
        const display = await openDisplay(out, speakers.length);
        const answers: Partial<Record<Speaker['name'], Reply>> = {};
        for (const { name, conversation } of speakers) {
          if (signal.aborted) break;
          display.begin(name, sampling.maxNewTokens);
          const reply = await conversation.say(prompt, {
            onText: (delta) => display.text(out.terminal === undefined ? delta : harmless(delta)),
            onTokens: (n) => display.tokens(n),
            signal,
          });
          answers[name] = reply;
          display.end(remark(reply, { maxTokens: sampling.maxNewTokens, context }));
        }
        display.done();
        turns.push({ prompt, answers });
      },
    });
    out.result({ model: model.checkpoint.id, adapter: flags.adapter, turns });
  } finally {
    await engine.close();
  }
}

/** The text without control characters, which could move the cursor of a terminal or change its settings. */
const harmless = (text: string): string => text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '');

/** Shows the answers to one turn: as they come, or, in a wide terminal, two in columns once both are there. */
interface Display {
  begin(name: string, maxTokens: number): void;
  text(delta: string): void;
  tokens(n: number): void;
  end(note: string | undefined): void;
  done(): void;
}

async function openDisplay(out: Output, speakers: number): Promise<Display> {
  const { terminal } = out;
  if (speakers === 1 || terminal === undefined || terminal.columns < WIDE_ENOUGH) {
    let last = '';
    const write = (text: string): void => {
      if (text !== '') last = text;
      out.write(text);
    };
    return {
      begin: (name) => { if (speakers > 1) write(`${name}: `); },
      text: write,
      tokens: () => undefined,
      end(note) {
        if (!last.endsWith('\n')) write('\n');
        if (note !== undefined) out.note(`[${note}]`);
      },
      done: () => { if (terminal !== undefined || speakers > 1) out.write('\n'); },
    };
  }
  const [{ sideBySide }, { createProgress }] = await Promise.all([import('./side-by-side.js'), import('../run/progress.js')]);
  const texts: { name: string; text: string }[] = [];
  const progress = createProgress();
  return {
    begin(name, maxTokens) {
      texts.push({ name, text: '' });
      progress.start(name, maxTokens, { unit: 'tokens' });
    },
    text: (delta) => { texts.at(-1)!.text += delta; },
    tokens: (n) => progress.update(n),
    end(note) {
      progress.stop();
      if (note !== undefined) texts.at(-1)!.text += `\n[${note}]`;
    },
    done: () => out.write(`${sideBySide(texts, terminal.columns)}\n\n`),
  };
}
