/** Rule files: YAML that names checks and says what to write about their findings. */
import { readFile } from 'node:fs/promises';

import { z } from 'zod';

import { UserError } from '../../errors.js';
import { fileError } from '../../run/files.js';
import { checkRecipe } from '../../run/recipe.js';
import type { Judge } from '../verdict.js';
import { forbiddenWords, maxWords, minWords, mustMention } from './checks.js';
import { createRulesJudge } from './judge.js';
import { forbiddenPattern, patternProblem } from './pattern.js';
import { messageProblem } from './rule.js';
import type { Check, Rule } from './rule.js';

const told = (problem: (text: string) => string | undefined) => (text: string, context: z.RefinementCtx): void => {
  const message = problem(text);
  if (message !== undefined) context.addIssue({ code: 'custom', message });
};

const common = {
  id: z.string().regex(/^[\p{L}\p{N}_-]+$/u, 'an id is letters, digits, - and _'),
  /** For readers; no part of the judgment. */
  why: z.string().optional(),
  message: z.string().superRefine(told(messageProblem)),
};
const words = z.array(z.string().refine((word) => /[\p{L}\p{N}]/u.test(word), 'this is not a word; use forbidden-pattern for signs')).min(1);
const count = z.int().min(1);

/** A rule as a file has it. */
export const RuleSchema = z.discriminatedUnion('kind', [
  z.strictObject({ ...common, kind: z.literal('forbidden-words'), words }),
  z.strictObject({ ...common, kind: z.literal('forbidden-pattern'), pattern: z.string().max(1000).superRefine(told(patternProblem)), ignoreCase: z.boolean().default(false) }),
  z.strictObject({ ...common, kind: z.literal('must-mention'), words }),
  z.strictObject({ ...common, kind: z.literal('max-words'), words: count }),
  z.strictObject({ ...common, kind: z.literal('min-words'), words: count }),
]);

const RulesFile = z.strictObject({
  /** What the judge is called in reports. Default: the file. */
  name: z.string().min(1).optional(),
  rules: z.array(RuleSchema).min(1).superRefine((rules, context) => {
    rules.forEach(({ id }, index) => {
      const first = rules.findIndex((rule) => rule.id === id);
      if (first < index) context.addIssue({ code: 'custom', path: [index, 'id'], message: `the id "${id}" is already that of rule ${first + 1}` });
    });
  }),
});

type RuleSpec = z.infer<typeof RuleSchema>;

function checkOf(spec: RuleSpec, file: string): Check {
  switch (spec.kind) {
    case 'forbidden-words': return forbiddenWords(spec.words);
    case 'forbidden-pattern': return forbiddenPattern(spec.pattern, spec.ignoreCase, `${file}: rule "${spec.id}"`);
    case 'must-mention': return mustMention(spec.words);
    case 'max-words': return maxWords(spec.words);
    case 'min-words': return minWords(spec.words);
  }
}

/** A judge from the text of a rule file; `file` names it in messages. */
export function parseRules(text: string, file: string): Judge {
  const { recipe } = checkRecipe(text, file, [], RulesFile, {});
  const rules = recipe.rules.map((spec): Rule => ({ id: spec.id, message: spec.message, check: checkOf(spec, file) }));
  return createRulesJudge(recipe.name ?? file, rules);
}

/**
 * The judge `rules:FILE`.
 *
 * @param file A YAML file: `name`, and `rules` with `id`, `kind` (forbidden-words, forbidden-pattern, must-mention, max-words, min-words), the
 *   kind's own keys, and a `message` with `{quotes}`.
 * @throws UserError that lists every problem with file, line, value and the nearest known key.
 */
export async function loadRules(file: string): Promise<Judge> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw new UserError(`There is no rule file ${file}`, ['See examples/house-style/house-style.rules.yaml for one to copy.']);
    throw fileError(error, file, 'reading');
  }
  return parseRules(text, file);
}
