/** The answers that a policy gradient learnt from, the newest round first. */
import type { Part, RolloutShown } from '../../api.js';
import { More, useList } from '../../parts/more.js';
import { Failure, Waiting } from '../../parts/state.js';
import { apiUrl } from '../../server.js';
import { number } from '../../write.js';

export function Rollouts({ run, count }: { readonly run: string; readonly count: number }) {
  const { part, error, more } = useList<RolloutShown, Part<RolloutShown>>(apiUrl('run/rollouts', { run }), 24, count);
  if (error) return <Failure error={error} />;
  if (part === undefined) return <Waiting what="Reading the rollouts" />;
  return (
    <>
      <p class="note">
        Each is an answer of the policy with its reward. Its advantage says how much likelier (+) or less likely (−) it was made. The
        newest round comes first, and in it the best answer.
      </p>
      <table class="cards rollouts">
        <caption class="unseen">Answers that were learnt from</caption>
        <thead>
          <tr>
            <th scope="col" class="num">round</th><th scope="col" class="num">reward</th><th scope="col" class="num">advantage</th>
            <th scope="col">prompt</th><th scope="col">answer</th>
          </tr>
        </thead>
        <tbody>
          {part.items.map(({ round, row, prompt, completion, reward, advantage, reason, rewards = {} }, i) => (
            <tr key={`${round}/${row}/${i}`}>
              <td class="num" data-label="round">{round}</td>
              <td class="num strong" data-label="reward">
                {number(reward)}
                {Object.entries(rewards).map(([name, value]) => <span key={name} class="range">{name} {number(value)}</span>)}
              </td>
              <td class="num" data-label="advantage">{advantage > 0 ? `+${number(advantage)}` : number(advantage)}</td>
              <td data-label="prompt"><div class="text quiet">{prompt}</div></td>
              <td data-label="answer"><div class="text">{completion}</div>{reason && <p class="reason">{reason}</p>}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <More shown={part.items.length} total={part.total} more={more} />
    </>
  );
}
