/** Token sequences for a terminal: what is learned stands out, and every token's border can be seen. */
import pc from 'picocolors';

/** A sequence as the model sees it; all lists are of one length. */
export interface SeenSequence {
  readonly ids: readonly number[];
  readonly texts: readonly string[];
  readonly supervised: readonly boolean[];
  /** How many of the tokens are the prompt. */
  readonly promptTokens: number;
}

/** How a token is shown: line breaks as ⏎ and a break, other control characters by their code, so that data cannot steer the terminal. */
export function visible(text: string): string {
  return text.replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/g, (c) => (c === '\r' ? '␍' : c === '\t' ? '⇥' : `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`)).replaceAll('\n', '⏎\n');
}

/** What the marks mean. */
export function legend(colour: boolean): string {
  if (!colour) return 'Tokens in [brackets] are learned; the others are given.';
  const c = pc.createColors(true);
  return `${c.bold(c.underline(c.green('bold')))}${c.bold(c.underline(c.cyan(' tokens')))} are learned, ${c.dim('dim')}${c.dim(c.cyan(' ones'))} are given; the colour changes with each token.`;
}

/** One sequence: its counts, then its tokens. */
export function renderSequence(name: string, { ids, texts, supervised, promptTokens }: SeenSequence, colour: boolean): string {
  const learned = supervised.filter(Boolean).length;
  const c = pc.createColors(colour);
  const tokens = texts.map((text, i) => {
    const shown = visible(text);
    if (!colour) return supervised[i] === true ? `[${shown}]` : shown;
    // Styles end before a line does, or they would colour the rest of it.
    return shown.split('\n').map((part) => {
      if (part === '') return part;
      const tint = i % 2 === 0 ? part : c.cyan(part);
      return supervised[i] === true ? c.bold(c.underline(i % 2 === 0 ? c.green(part) : tint)) : c.dim(tint);
    }).join('\n');
  });
  const counts = `${promptTokens} prompt + ${ids.length - promptTokens} response tokens, ${learned} learned`;
  return `${c.bold(name)}  ${counts}\n${tokens.join('')}`;
}
