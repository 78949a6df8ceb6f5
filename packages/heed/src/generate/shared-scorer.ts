import { type Engine, type Team, createPosts } from '@heed/tensor';
import type { BranchScorer } from './branch-request.js';

/**
 * A scorer on each machine of a team. Requests are cut into as many runs of neighbours, because neighbours begin alike. Where a machine was
 * lost its requests are scored again, and `onResult` hears of each once.
 *
 * @param open Opens a scorer on the engine of one machine.
 */
export function shareScorers(team: Team, open: (member: Engine) => Promise<BranchScorer>): BranchScorer {
  const posts = createPosts(team, open);
  const computed = new Array<number>(team.size).fill(0);
  return {
    async logProbs(requests, { onResult, signal } = {}) {
      const size = Math.ceil(requests.length / team.size);
      const known = new Set<number>();
      const parts = await Promise.all(Array.from({ length: team.size }, async (_, index) => {
        const from = index * size;
        const own = requests.slice(from, from + size);
        if (own.length === 0) return [];
        return posts.use(index, async (held) => {
          const scores = await held.logProbs(own, {
            onResult(at, logProbs) {
              if (known.has(from + at)) return;
              known.add(from + at);
              onResult?.(from + at, logProbs);
            },
            signal,
          });
          computed[index] = held.computed;
          return scores;
        });
      }));
      return parts.flat();
    },
    get computed() { return computed.reduce((a, b) => a + b, 0); },
    release: () => posts.close((held) => held.release()),
  };
}
