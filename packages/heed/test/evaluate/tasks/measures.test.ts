import { describe, expect, it } from 'vitest';
import { accuracies, argmax } from '../../../src/evaluate/tasks/choice-metrics.js';
import { bare, flexibleNumber, gsm8k, strictNumber } from '../../../src/evaluate/tasks/gsm8k.js';
import { clean } from '../../../src/evaluate/tasks/hellaswag.js';
import { capitalize, codePoints, rstrip, strip } from '../../../src/evaluate/tasks/python-text.js';
import { rougeL } from '../../../src/evaluate/tasks/rouge.js';
import { SUBJECT_FIELDS } from '../../../src/evaluate/tasks/mmlu-subjects.js';
import { oracle } from './lm-eval.js';

interface Found { readonly found: string; readonly right: number }
interface Numbered { readonly text: string; readonly gold: string; readonly 'strict-match': Found; readonly 'flexible-extract': Found }

describe('choices', () => {
  it('take the first of equal log-likelihoods, and norm by code points', () => {
    expect(argmax([-2, -1, -1])).toBe(1);
    // −6 for three characters beats −3 for one; "👍🏽" is two code points and four UTF-16 units.
    expect(accuracies(0, ['abc', 'd'], [-6, -3])).toEqual({ acc: 0, acc_norm: 1 });
    expect(codePoints('👍🏽')).toBe(2);
    expect(accuracies(1, ['abcd', '👍🏽'], [-8, -4.1])).toEqual({ acc: 1, acc_norm: 0 });
  });
});

describe("Python's texts", () => {
  it('are cut and capitalised as Python does', () => {
    // [c for c in map(chr, range(0x110000)) if c.isspace()] of CPython 3.11
    const blanks = [
      9, 10, 11, 12, 13, 28, 29, 30, 31, 32, 0x85, 0xa0, 0x1680, 0x2000, 0x2001, 0x2002, 0x2003, 0x2004, 0x2005, 0x2006, 0x2007, 0x2008,
      0x2009, 0x200a, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000,
    ];
    const found = Array.from({ length: 0x10000 }, (_, code) => code).filter((code) => strip(String.fromCharCode(code)) === '');
    expect(found).toEqual(blanks);
    expect(rstrip('  a \n')).toBe('  a');
    expect(capitalize('hELLO World')).toBe('Hello world');
    expect(capitalize('')).toBe('');
  });

  it('are cleaned for HellaSwag in the order that counts', () => {
    expect(clean(' [header] How to [title] Do it. [step] Now  then ')).toBe(' How to. Do it. Now then');
  });
});

describe('gsm8k', () => {
  it.each(oracle<Numbered[]>('numbers.json'))('finds what the filters find in $text, for $gold', ({ text, gold, ...theirs }) => {
    expect(strictNumber(text)).toBe(theirs['strict-match'].found);
    expect(flexibleNumber(text)).toBe(theirs['flexible-extract'].found);
    expect(gsm8k.measure({ question: '', answer: gold, source: { file: '', line: 1 } }, text)).toEqual({
      'exact_match,strict-match': theirs['strict-match'].right, 'exact_match,flexible-extract': theirs['flexible-extract'].right,
    });
  });

  it('compares what is left without marks', () => {
    expect(bare('First #### 1\nthen #### $1,234.')).toBe('1234');
  });
});

describe('ROUGE-L', () => {
  it.each(oracle<{ answer: string; reference: string; precision: number; recall: number; f: number }[]>('rouge.json'))(
    'is what rouge-score computes: $answer', ({ answer, reference, ...theirs }) => {
      const own = rougeL(answer, reference);
      for (const key of ['precision', 'recall', 'f'] as const) expect(own[key], key).toBeCloseTo(theirs[key], 12);
    });
});

it('MMLU has 57 subjects in four fields', () => {
  expect(Object.keys(SUBJECT_FIELDS)).toHaveLength(57);
  expect(new Set(Object.values(SUBJECT_FIELDS)).size).toBe(4);
});
