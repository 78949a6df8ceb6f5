/** Tokens: which of them a judgment speaks of, and which earned a reward. */
import { useKeys } from '../keys.js';
import type { Page } from '../page.js';
import { place, setParams } from '../router.js';
import { Credit } from './tokens/credit.js';
import { Judged } from './tokens/judged.js';
import '../style/tokens.css';

const PARTS = [
  { id: 'judgment', title: 'Under a judgment', view: Judged },
  { id: 'credit', title: 'Credit for a reward', view: Credit },
] as const;

function Tokens() {
  const shown = PARTS.find(({ id }) => id === place.value.params.get('show')) ?? PARTS[0];
  useKeys(Object.fromEntries(PARTS.map(({ id, title }, i) => [String(i + 1), { does: title, run: () => setParams({ show: id }) }])));
  return (
    <>
      <div class="head"><h1>Tokens</h1></div>
      <nav class="parts" aria-label="Parts of the page">
        {PARTS.map(({ id, title }, i) => (
          <button key={id} type="button" aria-current={id === shown.id ? 'true' : undefined} onClick={() => setParams({ show: id })}>
            {title} <kbd>{i + 1}</kbd>
          </button>
        ))}
      </nav>
      <shown.view />
    </>
  );
}

export const tokensPage: Page = { id: 'tokens', title: 'Tokens', key: 't', view: Tokens };
