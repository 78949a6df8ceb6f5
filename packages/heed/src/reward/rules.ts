import { z } from 'zod';
import { defineReward } from './define.js';
import type { Finding, Rated, Reward } from './reward.js';
import { loadRules } from './rules/load.js';
import { type Rule, renderMessage } from './rules/rule.js';
import { inParts } from './spans.js';

/** `rules: FILE`: what a YAML file of rules finds wrong with a response. Value: the share of rules that hold. */
export const rules = defineReward({
  name: 'rules',
  options: z.string().min(1),
  describe: (file) => `rules:${file}`,
  async open(file) {
    const { name, rules, fingerprint } = await loadRules(file);
    return createRulesReward(`rules:${name} ${fingerprint}`, rules);
  },
});

/** The rule that every response is held to: an empty text breaks no other. */
const EMPTY: Rated = {
  value: 0,
  reason: 'The answer is empty.',
  satisfied: false,
  findings: [{ rule: 'empty', quote: '', start: 0, end: 0 }],
  spans: [{ start: 0, end: 0, value: -1 }],
};

/**
 * Holds one text against rules.
 *
 * The reason is the sentences of the broken rules, in the order of the rules. The value is the share of rules that hold. As `spans`, a
 * broken rule takes its share off in equal parts at its findings.
 */
export function applyRules(rules: readonly Rule[], text: string): Rated {
  if (text.trim() === '') return EMPTY;
  const broken: { readonly sentence: string; readonly findings: readonly Finding[] }[] = [];
  for (const rule of rules) {
    const findings = rule.check(text)
      .map(({ start, end, quote }) => ({ rule: rule.id, quote: quote ?? text.slice(start, end), start, end }));
    if (findings.length > 0) broken.push({ sentence: renderMessage(rule.message, findings.map(({ quote }) => quote)), findings });
  }
  return {
    value: 1 - broken.length / rules.length,
    reason: broken.length === 0 ? null : broken.map(({ sentence }) => sentence).join(' '),
    satisfied: broken.length === 0,
    findings: broken.flatMap(({ findings }) => findings),
    spans: broken.flatMap(({ findings }) => inParts(findings, -1 / rules.length)),
  };
}

/**
 * A reward from rules. It reads the response alone.
 *
 * @throws where there is no rule, or two of one id
 */
export function createRulesReward(name: string, rules: readonly Rule[]): Reward {
  if (rules.length === 0) throw new Error(`The reward "${name}" has no rules: every text would satisfy it.`);
  const twice = rules.find((rule, index) => rules.findIndex(({ id }) => id === rule.id) !== index);
  if (twice) throw new Error(`The reward "${name}" has two rules with the id "${twice.id}".`);
  return {
    name,
    drawsLine: true,
    async rate(items, { onProgress } = {}) {
      const rated = items.map(({ response }) => applyRules(rules, response));
      onProgress?.(items.length, items.length);
      return rated;
    },
    async close() { /* Rules hold nothing. */ },
  };
}
