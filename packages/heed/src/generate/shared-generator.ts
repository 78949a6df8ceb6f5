import { type Buffer, type Engine, type Team, createPosts, view } from '@heed/tensor';
import type { Completion, GenerationHooks, GenerationRequest, Generator } from './request.js';
import { createTurns } from './turns.js';

/**
 * A generator on each machine of a team: requests go to them in turn. A completion depends on its request alone, so where a machine was
 * lost its requests are answered again, and hooks hear of each completion once. (`onToken` may hear tokens again.)
 *
 * @param open Opens a generator on the engine of one machine.
 */
export function shareGenerators(engine: Engine, team: Team, open: (member: Engine) => Promise<Generator>): Generator {
  /** The adapter, which a generator that is opened later needs too. */
  let policy: Buffer | undefined;
  const posts = createPosts(team, async (member) => {
    const generator = await open(member);
    if (policy !== undefined) await generator.setAdapter(view(policy));
    return generator;
  });
  const turns = createTurns();
  let turn = 0;

  const drop = async (): Promise<void> => {
    if (policy !== undefined) await engine.free(policy);
    policy = undefined;
  };

  const generate: Generator['generate'] = async (requests, options, hooks = {}) => {
    const places = requests.map(() => turn++ % team.size);
    const heard = hearOnce(hooks, team.size, requests.reduce((n, { samples = 1 }) => n + samples, 0));
    const answers = await Promise.all(Array.from({ length: team.size }, async (_, index) => {
      const own = requests.filter((_request, i) => places[i] === index);
      return own.length === 0 ? [] : posts.use(index, (held) => held.generate(own, options, heard(index)));
    }));
    const at = answers.map(() => 0);
    return requests.flatMap(({ samples = 1 }: GenerationRequest, i) => {
      const index = places[i]!;
      const from = at[index]!;
      at[index] = from + samples;
      return answers[index]!.slice(from, from + samples);
    });
  };

  return {
    generate: (...given) => turns.together(() => generate(...given)),
    setAdapter: (parameters) => turns.alone(async () => {
      if (parameters === undefined) await drop();
      else {
        const length = parameters.shape.reduce((a, b) => a * b, 1);
        if (policy?.length !== length) {
          await drop();
          policy = await engine.allocate('float32', length);
        }
        await engine.copy([{ from: parameters, to: view(policy, parameters.shape) }]);
      }
      await posts.each((held) => held.setAdapter(policy && view(policy)));
    }),
    rest: () => turns.alone(() => posts.each((held) => held.rest())),
    release: () => turns.alone(async () => {
      await posts.close((held) => held.release());
      await drop();
    }),
  };
}

/** The hooks of each machine: together they say what those of one generator would. */
function hearOnce(hooks: GenerationHooks, machines: number, total: number): (index: number) => GenerationHooks {
  const { onCompletion, onProgress } = hooks;
  const finished = new Set<string>();
  const tokens = new Array<number>(machines).fill(0);
  return (index) => ({
    ...hooks,
    onCompletion(completion: Completion) {
      const name = `${completion.row} ${completion.sample}`;
      if (finished.has(name)) return;
      finished.add(name);
      onCompletion?.(completion);
    },
    ...(onProgress === undefined ? {} : {
      onProgress(progress) {
        tokens[index] = progress.tokens;
        onProgress({ tokens: tokens.reduce((a, b) => a + b, 0), finished: finished.size, total });
      },
    }),
  });
}
