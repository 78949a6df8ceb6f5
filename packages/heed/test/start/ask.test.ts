import { describe, expect, it } from 'vitest';
import { askAll } from '../../src/cli/ask.js';
import { inspectLog, type Inspection } from '../../src/start/inspect.js';
import { scratchFolder } from '../support/scratch.js';
import { jsonl, rolesOf } from './support.js';

const { write } = scratchFolder();

/** Answers questions with these lines, in order. */
async function asked(file: string, ...lines: string[]): Promise<{ readonly said: string[]; readonly log: Inspection }> {
  const said: string[] = [];
  const log = await askAll(file, {}, await inspectLog(file), {
    ask: () => Promise.resolve(lines.shift() ?? expect.unreachable('asked again')), say: (line) => void said.push(line),
  });
  expect(lines).toEqual([]);
  return { said, log };
}

describe('in a terminal', () => {
  const both = (): string => write('both.jsonl', jsonl(Array.from({ length: 4 }, (_, i) => (
    { question: `What is ${i} for?`, reply: `One reply ${i}.`, answer: `Two answers ${i}.`, note: `It is wrong ${i}.` }))));

  it('every question is asked, by number, by name, or with Enter for the guess', async () => {
    const { said, log } = await asked(both(), '2', 'judgments');
    expect(said[0]).toBe('Which column is the answer (completion)?');
    expect(said.filter((line) => line.endsWith('(Enter)'))).toHaveLength(2);
    expect([rolesOf(log)['completion'], log.values.comments, log.questions]).toEqual(['reply', 'judgments', []]);
    const guessed = await asked(both(), '', '');
    expect([rolesOf(guessed.log)['completion'], guessed.log.values.comments]).toEqual(['answer', 'faults']);
  });

  it('what is no answer is asked again', async () => {
    const { said, log } = await asked(both(), '7', 'reply', '');
    expect(said).toContain('Type a number from 1 to 2, or Enter.');
    expect(rolesOf(log)['completion']).toBe('reply');
  });
});
