import { describe, expect, it } from 'vitest';
import { comparisonPrompt, principledPrompt } from '../../src/text/principled.js';

const rules = [{ name: 'Concise', text: 'Stop when done.' }, { name: 'Polite', text: 'Be friendly.' }];

describe('prompts under principles', () => {
  it('are one user turn: the response, the request, the rules in their order', () => {
    const [turn, ...more] = principledPrompt([{ role: 'user', content: 'Open today?' }], 'Until six.', rules);
    expect(more).toEqual([]);
    expect(turn!.role).toBe('user');
    expect(turn!.content).toMatch(
      /Answer:\nUntil six\.\n[\s\S]*\nOpen today\?\n[\s\S]*- Concise: Stop when done\.\n- Polite: Be friendly\.$/,
    );
  });

  it('show a longer conversation turn by turn', () => {
    const talk = [
      { role: 'system', content: 'A shop.' },
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: 'Hello' },
      { role: 'user', content: 'Open today?' },
    ] as const;
    expect(principledPrompt(talk, 'Yes.', rules)[0]!.content).toContain(
      '\nSystem: A shop.\n\nUser: Hi\n\nAssistant: Hello\n\nUser: Open today?\n',
    );
  });

  it('for a comparison show both responses by letter, and ask for one', () => {
    const { content } = comparisonPrompt([{ role: 'user', content: 'Open today?' }], ['Yes.', 'No.'], rules)[0]!;
    expect(content).toMatch(/Answer A:\nYes\.\n\nAnswer B:\nNo\.\n\n[\s\S]*Open today\?[\s\S]*- Polite: Be friendly\.\n\n.*Say A or B/);
  });

  it('need a principle', () => {
    expect(() => principledPrompt([{ role: 'user', content: 'x' }], 'y', [])).toThrow(/at least one principle/);
  });
});
