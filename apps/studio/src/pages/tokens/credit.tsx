/** Which tokens of an answer earned its reward, in a run of policy gradient. */
import { useSignal } from '@preact/signals';

import type { CreditPart, CreditShown, RunList } from '../../api.js';
import { useKeys } from '../../keys.js';
import { Failure, Waiting } from '../../parts/state.js';
import { type Token, TokenStrip, visible } from '../../parts/token-strip.js';
import { place, setParams } from '../../router.js';
import { apiUrl, useServer } from '../../server.js';
import { number } from '../../write.js';

const METHODS = new Set(['rloo', 'grpo', 'reinforce', 'ppo']);
const SIZE = 12;

export function Credit() {
  const runs = useServer<RunList>('api/runs');
  const online = runs.value?.runs.filter(({ method = '' }) => METHODS.has(method)) ?? [];
  const run = place.value.params.get('run') ?? online[0]?.run;
  const count = useSignal(SIZE);
  const round = place.value.params.get('round') ?? undefined;
  const url = run === undefined ? undefined : apiUrl('tokens/credit', { run, round, limit: count.value });
  const { value, error } = useServer<CreditPart>(url);
  const turn = (by: number): void => {
    const at = value?.rounds.indexOf(value.round) ?? -1;
    const next = at < 0 ? undefined : value!.rounds[at - by];
    if (next !== undefined) setParams({ round: String(next) });
  };
  useKeys({
    l: { does: 'next round', run: () => turn(1) },
    h: { does: 'round before', run: () => turn(-1) },
  });
  if (runs.error && runs.value === undefined) return <Failure error={runs.error} again={runs.again} />;
  if (runs.value === undefined) return <Waiting what="Looking for runs" />;
  if (run === undefined) {
    return (
      <p class="intro">
        Here stand the answers of a policy gradient (rloo, grpo, reinforce, ppo), each token shaded by its advantage: orange is made
        likelier, blue less likely. No run of this folder has any yet. Start one with <code>npx heed align RECIPE</code>.
      </p>
    );
  }
  return (
    <>
      <div class="controls">
        <label>
          Run{' '}
          <select value={run} onChange={(event) => setParams({ run: event.currentTarget.value, round: undefined })}>
            {[...new Set([run, ...online.map((one) => one.run)])].map((one) => <option key={one} value={one}>{one}</option>)}
          </select>
        </label>
        {value && value.rounds.length > 0 && (
          <label>
            Round{' '}
            <select value={value.round} onChange={(event) => setParams({ round: event.currentTarget.value })}>
              {value.rounds.map((one) => <option key={one} value={one}>{one}</option>)}
            </select>
            {' '}<kbd>h</kbd> <kbd>l</kbd>
          </label>
        )}
      </div>
      {error && <Failure error={error} />}
      {value === undefined && !error && <Waiting what="Reading the answers" />}
      {value?.total === 0 && <p class="quiet">No round is finished yet.</p>}
      {value && value.total > 0 && (
        <>
          <p class="legend">
            <span><i class="hot" />advantage above 0: made likelier</span> <span><i class="cold" />below 0: less likely</span>
            <span>full shade at {number(value.largest)}</span>
          </p>
          {value.note && <p class="note">{value.note}</p>}
          {value.items.map((item, i) => <Answer key={`${item.row}/${i}`} item={item} largest={value.largest} />)}
          {value.total > value.items.length && (
            <p class="actions">
              <button type="button" onClick={() => { count.value = Math.min(100, count.value + SIZE); }}>Show more</button>
              <span class="quiet">{value.items.length} of {value.total} are shown</span>
            </p>
          )}
        </>
      )}
    </>
  );
}

const signed = (x: number): string => `${x > 0 ? '+' : ''}${number(x)}`;

function Answer({ item, largest }: { readonly item: CreditShown; readonly largest: number }) {
  const at = useSignal<number | undefined>(undefined);
  const { row, prompt, reward, rewards, reason, advantage, texts, advantages } = item;
  const tokens = texts.map((text, i): Token => (
    { text, shade: largest === 0 ? 0 : advantages[i]! / largest, says: `advantage ${signed(advantages[i]!)}` }
  ));
  const seen = at.value;
  return (
    <article class="credit">
      <p class="asked">{prompt}</p>
      <p class="numbers">
        <span>reward <b>{number(reward)}</b></span>
        {Object.entries(rewards).map(([name, value]) => <span key={name} class="quiet">{name} {number(value)}</span>)}
        <span>advantage <b>{signed(advantage)}</b>{texts.length > 1 ? ' on average' : ', of all tokens alike'}</span>
        {seen !== undefined && texts.length > 1 && <span>“{visible(texts[seen]!)}” <b>{signed(advantages[seen]!)}</b></span>}
      </p>
      <TokenStrip label={`Answer to ${row}`} tokens={tokens} at={seen} look={(i) => { at.value = i; }} />
      {reason && <p class="why">{reason}</p>}
    </article>
  );
}
