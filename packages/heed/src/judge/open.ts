import { UserError } from '../errors.js';
import { loadRules } from './rules/load.js';
import type { Judge } from './types.js';

/** Opens a judge by its name in a recipe or on the command line: `rules:FILE`. */
export async function openJudge(spec: string): Promise<Judge> {
  const [kind, ...rest] = spec.split(':');
  const file = rest.join(':');
  if (kind === 'rules' && file !== '') return loadRules(file);
  throw new UserError(`"${spec}" names no judge.`, ['Write rules:FILE, where FILE is a YAML file of rules, such as rules:examples/house-style/house-style.rules.yaml.']);
}
