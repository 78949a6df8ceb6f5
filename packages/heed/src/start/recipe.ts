/** Writes the recipe of a plan: the method's own recipe, with the rows of the log. */
import { readFile } from 'node:fs/promises';
import { type Document, isMap, isScalar, parseDocument } from 'yaml';
import { shipped } from '../run/shipped.js';

/** What the recipe says of its run. */
export interface RecipeParts {
  /** The method: `recipes/METHOD.yaml` is what Heed ships for it. */
  readonly method: string;
  readonly model?: string;
  /** The file of the rows, and of those that are held out. */
  readonly train: string;
  readonly heldOut?: string;
  /** Rows to train on. */
  readonly rows: number;
  /** From which score on an answer is good; for methods that learn from scores. */
  readonly threshold?: number;
  readonly runDir: string;
  /** Lines of comment at its head. */
  readonly head: readonly string[];
}

/** Steps that a small log is learned in; the epochs follow from them. */
const STEPS = 40;
const MOST_EPOCHS = 3;
/** A log of fewer rows is small. */
const FEW = 400;

/** The recipe as YAML, with the comments of the method's own recipe. */
export async function recipeOf({ method, model, train, heldOut, rows, threshold, runDir, head }: RecipeParts): Promise<string> {
  const document = parseDocument(await readFile(shipped(`recipes/${method}.yaml`), 'utf8'));
  // The head of the shipped recipe speaks of its own example.
  document.commentBefore = null;
  if (isMap(document.contents)) {
    document.contents.commentBefore = null;
    const [first] = document.contents.items;
    if (isScalar(first?.key)) first.key.commentBefore = null;
  }
  const batch = Number(document.getIn(['train', 'batch']));
  if (model !== undefined) document.set('model', model);
  document.setIn(['data', 'path'], train);
  if (heldOut !== undefined) document.setIn(['data', 'eval'], heldOut);
  document.setIn(['data', 'onLong'], 'skip');
  forLog(document, { rows, threshold });
  // A recipe that goes over its rows more than once was tried so.
  const own = Number(document.getIn(['train', 'epochs']));
  const most = own > 1 ? own : MOST_EPOCHS;
  document.setIn(['train', 'epochs'], Math.min(most, Math.max(1, Math.round((STEPS * batch) / rows))));
  document.setIn(['run', 'dir'], runDir);
  const comments = head.map((line) => `# ${line}\n`).join('');
  return comments + document.toString({ lineWidth: 0 });
}

/** What a log needs other than the example of the shipped recipe. */
function forLog(document: Document.Parsed, { rows, threshold }: Pick<RecipeParts, 'rows' | 'threshold'>): void {
  const set = (path: readonly string[], value: unknown, comment: string): void => {
    const node = document.createNode(value);
    node.comment = ` ${comment}`;
    document.setIn(path, node);
  };
  const ratio = document.getIn(['method', 'ratio']);
  if (rows < FEW && typeof ratio === 'number' && ratio > 0) {
    set(['method', 'ratio'], null, 'satisfactory rows kept for each unsatisfactory one; null: all, as the log is small');
  }
  // The log has refinements, so the model need not write them.
  if (document.getIn(['rows', 'make']) === 'refine') document.delete('rows');
  if (document.hasIn(['method', 'threshold']) && threshold !== undefined) {
    set(['method', 'threshold'], threshold, 'below it an answer was wrong; in the unit of your scores');
  }
}
