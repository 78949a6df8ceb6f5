/** A judge made of rules: it says what is wrong and quotes it. */
import type { Finding, Judge, Judged, Verdict } from '../verdict.js';
import { renderMessage } from './rule.js';
import type { Rule } from './rule.js';

/** The rule that every response is held to: an empty text breaks no other. */
const EMPTY: Verdict = {
  satisfied: false,
  judgment: 'The answer is empty.',
  findings: [{ rule: 'empty', quote: '', start: 0, end: 0 }],
  score: 0,
};

/**
 * Holds one text against rules.
 *
 * The judgment is the sentences of the broken rules, in the order of the rules. The score is the share of rules that hold.
 */
export function applyRules(rules: readonly Rule[], text: string): Verdict {
  if (text.trim() === '') return EMPTY;
  const broken: { readonly sentence: string; readonly findings: readonly Finding[] }[] = [];
  for (const rule of rules) {
    const findings = rule.check(text).map(({ start, end, quote }) => ({ rule: rule.id, quote: quote ?? text.slice(start, end), start, end }));
    if (findings.length > 0) broken.push({ sentence: renderMessage(rule.message, findings.map(({ quote }) => quote)), findings });
  }
  return {
    satisfied: broken.length === 0,
    judgment: broken.length === 0 ? null : broken.map(({ sentence }) => sentence).join(' '),
    findings: broken.flatMap(({ findings }) => findings),
    score: 1 - broken.length / rules.length,
  };
}

/**
 * A judge from rules. It reads the response alone.
 *
 * @throws when there is no rule, or two of one id.
 */
export function createRulesJudge(name: string, rules: readonly Rule[]): Judge {
  if (rules.length === 0) throw new Error(`The judge "${name}" has no rules: every text would satisfy it.`);
  const twice = rules.find((rule, index) => rules.findIndex(({ id }) => id === rule.id) !== index);
  if (twice) throw new Error(`The judge "${name}" has two rules with the id "${twice.id}".`);
  return {
    name,
    async judge(items: readonly Judged[]): Promise<Verdict[]> {
      return items.map(({ response }) => applyRules(rules, response));
    },
  };
}
