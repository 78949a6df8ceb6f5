/** Token sequences for a terminal: learned tokens stand out, and the border of every token can be seen. */
import pc from 'picocolors';

/** A sequence as the model sees it; all lists are of one length. */
export interface SeenSequence {
  readonly ids: readonly number[];
  readonly texts: readonly string[];
  readonly supervised: readonly boolean[];
  /** How many of the tokens are the prompt. */
  readonly promptTokens: number;
}

const SIGNS: Readonly<Record<string, string>> = { '\r': '␍', '\t': '⇥' };

/** A token for the terminal: a line break as ⏎ and a break, other control characters by their code, so that data cannot command it. */
export function visible(text: string): string {
  const sign = (c: string): string => SIGNS[c] ?? `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`;
  return text.replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/g, sign).replaceAll('\n', '⏎\n');
}

/** What the marks mean. */
export function legend(colour: boolean): string {
  if (!colour) return 'Tokens in [brackets] are learned; the others are given.';
  const c = pc.createColors(true);
  const learned = c.bold(c.underline(c.green('Underlined'))) + c.bold(c.underline(c.cyan(' tokens')));
  const given = c.dim('dim') + c.dim(c.cyan(' tokens'));
  return `${learned} are learned, ${given} are given; the colour changes with each token.`;
}

/** One sequence: its counts, then its tokens. */
export function renderSequence(name: string, { ids, texts, supervised, promptTokens }: SeenSequence, colour: boolean): string {
  const learned = supervised.filter(Boolean).length;
  const c = pc.createColors(colour);
  const tokens = texts.map((text, i) => {
    const shown = visible(text);
    if (!colour) return supervised[i] === true ? `[${shown}]` : shown;
    // A style ends before its line does; otherwise it would colour the rest of the line.
    return shown.split('\n').map((part) => {
      if (part === '') return part;
      const tint = i % 2 === 0 ? part : c.cyan(part);
      return supervised[i] === true ? c.bold(c.underline(i % 2 === 0 ? c.green(part) : tint)) : c.dim(tint);
    }).join('\n');
  });
  const counts = `${promptTokens} prompt + ${ids.length - promptTokens} response tokens, ${learned} learned`;
  return `${c.bold(name)}  ${counts}\n${tokens.join('')}`;
}
