import { type Engine, MachineLost, type Team } from './team.js';

/** Something that is open on each machine of a team, and is opened anew where the machine was lost. */
export interface Posts<T> {
  /**
   * Works with what is open on a machine, by its number. Where the machine is lost meanwhile, it is opened anew and the work is done
   * again.
   *
   * @throws MachineLost after several losses in a row
   */
  use<R>(index: number, work: (held: T) => Promise<R>): Promise<R>;
  /** The same with what is open on each machine so far. What was on a lost machine is forgotten. */
  each(work: (held: T) => Promise<void>): Promise<void>;
  /** The last work with all of them. */
  close(work: (held: T) => Promise<void>): Promise<void>;
}

/** @param open Opens it on the engine of one machine; called when it is first used there. */
export function createPosts<T>(team: Team, open: (member: Engine) => Promise<T>): Posts<T> {
  const posts = new Map<number, { readonly engine: Engine; readonly held: Promise<T> }>();

  function heldAt(index: number): Promise<T> {
    const engine = team.member(index);
    const known = posts.get(index);
    if (known?.engine === engine) return known.held;
    const held = open(engine);
    posts.set(index, { engine, held });
    held.catch(() => { if (posts.get(index)?.held === held) posts.delete(index); });
    return held;
  }

  const each = async (work: (held: T) => Promise<void>): Promise<void> => {
    await Promise.all([...posts].map(async ([index, { held }]) => {
      try {
        await work(await held);
      } catch (error) {
        if (!(error instanceof MachineLost)) throw error;
        posts.delete(index);
      }
    }));
  };
  return {
    use: (index, work) => team.again(async () => work(await heldAt(index)), index),
    each,
    async close(work) {
      await each(work);
      posts.clear();
    },
  };
}
