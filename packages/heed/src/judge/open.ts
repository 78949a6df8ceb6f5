import type { z } from 'zod';
import { UserError } from '../errors.js';
import { describeIssues } from '../run/recipe-problems.js';
import { loadExport, namesExport } from '../run/user-module.js';
import { type JudgeDefinition, type JudgeTools, describeModel, isJudgeDefinition } from './define.js';
import { JUDGES } from './index.js';
import { JudgeOptions, type JudgeSection } from './options.js';
import type { Respondent } from './respondent.js';

/** A judge as a recipe or a program names it. Options with a default may be left out. */
export type JudgeInput = z.input<typeof JudgeOptions>;

type AnyJudge = JudgeDefinition<unknown>;
const definitionOf = (kind: string): AnyJudge | undefined =>
  (Object.hasOwn(JUDGES, kind) ? (JUDGES as unknown as Record<string, AnyJudge>)[kind] : undefined);

/** Describes `judge:` for people. @throws UserError where the section names no judge */
export function describeJudge(spec: JudgeInput): string {
  if (typeof spec === 'string') return spec;
  const { kind, options } = chosen(spec);
  const definition = definitionOf(kind);
  const words = definition === undefined ? describeWhole(options) : definition.describe?.(options);
  return words === undefined ? kind : `${kind}: ${words}`;
}

/** Describes a judge of whole responses: rules by their file, a reward model by its model. */
const describeWhole = (options: unknown): string => (typeof options === 'string' ? options : describeModel(options as { model?: string }));

/**
 * Opens a respondent: a section of a recipe (`local`, `endpoint` or `human`), or a judge that a user's module exports. Close it after the
 * last question.
 *
 * @throws UserError where the spec names no judge, has wrong options, or names a judge of whole responses, which answers no questions;
 * where the key of an endpoint is not set
 */
export async function openRespondent(spec: JudgeInput, tools: JudgeTools = {}): Promise<Respondent> {
  if (typeof spec === 'string' && namesExport(spec)) return openExport(spec, tools);
  const { kind, options } = chosen(spec);
  const definition = definitionOf(kind);
  if (definition !== undefined) return definition.open(options, tools);
  throw new UserError(`judge.${kind} judges whole responses and answers no questions; a judge that answers questions is needed here.`, [
    `Use ${Object.keys(JUDGES).join(', ')}.`,
  ]);
}

async function openExport(spec: string, tools: JudgeTools): Promise<Respondent> {
  const definition = await loadExport(spec);
  if (!isJudgeDefinition(definition)) throw new UserError(`${spec} is no judge.`, ['Export what defineJudge returns.']);
  const parsed = definition.options.safeParse({}, { reportInput: true });
  if (parsed.success) return definition.open(parsed.data, tools);
  throw new UserError(describeIssues(parsed.error.issues, definition.options, {}, () => spec).join('\n'), [
    'A judge of a module is opened with its defaults: give every option one.',
  ]);
}

/** The kind of judge that a spec names, and the options with their defaults. */
function chosen(spec: JudgeInput): { readonly kind: string; readonly options: unknown } {
  const [kind, options] = Object.entries(sectionOf(spec)).find(([, value]) => value !== undefined)!;
  return { kind, options };
}

function sectionOf(spec: JudgeInput): JudgeSection {
  if (typeof spec === 'string') {
    if (/^rules:./.test(spec)) return { rules: spec.slice('rules:'.length) };
    throw new UserError(`"${spec}" names no judge.`, [
      'Write rules:FILE, where FILE is a YAML file of rules, such as rules:examples/house-style/house-style.rules.yaml,',
      'or ./FILE.ts#NAME, a judge that a module of yours exports.',
    ]);
  }
  const parsed = JudgeOptions.safeParse(spec, { reportInput: true });
  if (!parsed.success) throw new UserError(describeIssues(parsed.error.issues, JudgeOptions, spec, () => 'judge').join('\n'));
  return parsed.data as JudgeSection;
}
