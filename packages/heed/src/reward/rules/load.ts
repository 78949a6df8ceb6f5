/** Rule files: YAML that names checks and says what to write about their findings. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';

import { z } from 'zod';

import { UserError, relativeHints } from '../../errors.js';
import { fileError } from '../../run/files.js';
import { shipped } from '../../run/shipped.js';
import { checkRecipe } from '../../run/recipe.js';
import { forbiddenWords, maxWords, minWords, mustMention } from './checks.js';
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
const word = z.string().refine((text) => /[\p{L}\p{N}]/u.test(text), 'this is not a word; use forbidden-pattern for signs');
const words = z.array(word).min(1);
const count = z.int().min(1);

/** A rule as a file has it. */
export const RuleSchema = z.discriminatedUnion('kind', [
  z.strictObject({ ...common, kind: z.literal('forbidden-words'), words }),
  z.strictObject({
    ...common,
    kind: z.literal('forbidden-pattern'),
    pattern: z.string().max(1000).superRefine(told(patternProblem)),
    ignoreCase: z.boolean().default(false),
  }),
  z.strictObject({ ...common, kind: z.literal('must-mention'), words }),
  z.strictObject({ ...common, kind: z.literal('max-words'), words: count }),
  z.strictObject({ ...common, kind: z.literal('min-words'), words: count }),
]);

const RulesFile = z.strictObject({
  /** What the rules are called in reports. Default: the file. */
  name: z.string().min(1).optional(),
  rules: z.array(RuleSchema).min(1).superRefine((rules, context) => {
    rules.forEach(({ id }, index) => {
      const first = rules.findIndex((rule) => rule.id === id);
      if (first === index) return;
      context.addIssue({ code: 'custom', path: [index, 'id'], message: `the id "${id}" is already that of rule ${first + 1}` });
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

/** The rules of a file. */
export interface RuleSet {
  /** As the file calls them; else the file. */
  readonly name: string;
  readonly rules: readonly Rule[];
  /** Of the file's content. */
  readonly fingerprint: string;
}

/** Rules from the text of a rule file; `file` names it in messages. */
export function parseRules(text: string, file: string): RuleSet {
  const { recipe } = checkRecipe(text, file, [], RulesFile, {});
  const rules = recipe.rules.map((spec): Rule => ({ id: spec.id, message: spec.message, check: checkOf(spec, file) }));
  return { name: recipe.name ?? file, rules, fingerprint: createHash('sha256').update(text).digest('hex').slice(0, 12) };
}

/**
 * Reads a rule file.
 *
 * @param file A YAML file: `name`, and `rules` with `id`, `kind` (forbidden-words, forbidden-pattern, must-mention, max-words, min-words),
 *   the kind's own keys, and a `message` with `{quotes}`.
 * @throws UserError that lists every problem with file, line, value and the nearest known key.
 */
export async function loadRules(file: string): Promise<RuleSet> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw fileError(error, file, 'reading');
    throw new UserError(`There is no rule file ${file}`, [
      ...relativeHints(file), `See ${shipped('examples/house-style/house-style.rules.yaml')} for one to copy.`,
    ]);
  }
  return parseRules(text, file);
}
