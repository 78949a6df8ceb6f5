/** An answer with its advantages for a terminal: what the policy moves towards in green, what it moves away from in red. */
import pc from 'picocolors';

import { visible } from './render-tokens.js';

/** An answer in pieces of one advantage each: tokens, or the whole of it. */
export interface SeenCredit {
  readonly texts: readonly string[];
  readonly advantages: readonly number[];
}

/** What the marks mean. */
export function creditLegend(colour: boolean): string {
  if (!colour) return 'Advantages in brackets, before the text that has them.';
  const c = pc.createColors(true);
  return `${c.green('Green')}: advantage above 0, the policy moves towards it; ${c.red('red')}: below 0, away from it. `
    + `${c.bold('Bold')}: more than two thirds of the largest; ${c.dim('dim')}: less than one third.`;
}

const signed = (advantage: number): string => `${advantage < 0 ? '−' : '+'}${Math.abs(advantage).toFixed(2)}`;

/** Pieces one behind the other that have the same advantage, as one. */
function joined({ texts, advantages }: SeenCredit): { text: string; advantage: number }[] {
  const pieces: { text: string; advantage: number }[] = [];
  texts.forEach((text, i) => {
    const advantage = advantages[i]!;
    const last = pieces.at(-1);
    if (last !== undefined && Math.abs(last.advantage - advantage) < 1e-9) last.text += text;
    else pieces.push({ text, advantage });
  });
  return pieces;
}

/** @param largest The advantage, in size, that is the brightest: of all answers that are shown together. */
export function renderCredit(answer: SeenCredit, largest: number, colour: boolean): string {
  const c = pc.createColors(colour);
  return joined(answer).map(({ text, advantage }) => {
    const shown = visible(text);
    if (!colour) return `[${signed(advantage)}]${shown}`;
    const share = largest === 0 ? 0 : Math.abs(advantage) / largest;
    const tint = advantage < 0 ? c.red : c.green;
    // A style ends before its line does; otherwise it would colour the rest of the line.
    return shown.split('\n').map((part) => {
      if (part === '' || advantage === 0) return part;
      if (share > 2 / 3) return c.bold(tint(part));
      return share < 1 / 3 ? c.dim(tint(part)) : tint(part);
    }).join('\n');
  }).join('');
}
