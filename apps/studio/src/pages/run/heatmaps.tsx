/** Which words the judgments pushed down, the newest first. */
import type { Heatmap, Part } from '../../api.js';
import { MarkedTokens } from '../../parts/marked-tokens.js';
import { More, useList } from '../../parts/more.js';
import { Failure, Waiting } from '../../parts/state.js';
import { apiUrl } from '../../server.js';
import { number } from '../../write.js';

export function Heatmaps({ run, count }: { readonly run: string; readonly count: number }) {
  const { part, error, more } = useList<Heatmap, Part<Heatmap>>(apiUrl('run/heatmaps', { run }), 10, count);
  if (error) return <Failure error={error} />;
  if (part === undefined) return <Waiting what="Reading the marked tokens" />;
  return (
    <>
      <p class="note">
        Orange: the judgment makes the token likelier, so that it is what was objected to. Blue: less likely. Underlined tokens were
        pushed down.
      </p>
      {part.items.map(({ id, step, prompt, judgment, ...marked }, i) => (
        <article class="pair" key={`${id}/${step}/${i}`}>
          <p class="prompt"><span class="quiet">{step === undefined ? id : `step ${number(step)}, ${id}`}</span> {prompt}</p>
          <div class="answer"><MarkedTokens {...marked} /></div>
          {judgment && <p class="reason">{judgment}</p>}
        </article>
      ))}
      <More shown={part.items.length} total={part.total} more={more} />
    </>
  );
}
