/** What `heed start` prints. */
import type { Recognised } from '../start/recognise.js';
import { describeLeftOut, type Inspection } from '../start/inspect.js';
import { linesOf } from '../start/left-out.js';
import type { StartPlan } from '../start/plan.js';
import type { Shape } from '../start/shapes.js';
import { numberIn, voteIn, voteOnScale } from '../start/votes.js';
import { size } from '../run/numbers.js';
import type { Foresight } from '../loop/foresee.js';
import { shellWord, table } from './output.js';

/** For people. */
export function renderStart(log: Inspection, plan: StartPlan, foresight: Foresight): string {
  const { parts, taken, files } = plan;
  const held = parts.heldOut.length;
  return [
    `${log.file}: ${log.lines} rows`, '',
    indented(table([['column', 'is', 'rows', 'values'], ...columnsOf(log)])),
    ...unusedOf(log),
    ...notesOf(log, plan), '',
    ...(plan.leftOut.length === 0 ? [] : ['Left out:', ...describeLeftOut(plan.leftOut), '']),
    'Methods that fit:',
    indented(table(plan.fits.map(({ method, kind, rows, why }) => (
      [`${method === taken.method ? '→' : ' '} ${method}`, kind, `${rows} rows`, why])))),
    '',
    `${parts.train.length} rows to train on, ${held} to hold out, ${splitOf(plan)}`,
    `  ${Object.values(files).join(', ')}`, '',
    ...foreseen(foresight), '',
    'Next:', ...nextOf(plan).map((line) => `  ${line}`),
  ].join('\n');
}

/** The object that --json prints. */
export function resultOf(
  log: Inspection, { fits, taken, parts, leftOut, files, runDir, ...plan }: StartPlan, foresight: Foresight,
): object {
  return {
    file: log.file, rows: log.lines, context: log.context, joined: log.joined,
    columns: Object.fromEntries([...log.columns].map(([role, { column, by }]) => [role, { column, by }])), unused: log.unused,
    guesses: log.questions.map(({ about, guess }) => ({ about, guess })),
    leftOut: leftOut.map(({ reason, sources }) => ({ reason, rows: sources.length, lines: sources.map(({ line }) => line) })),
    fits, method: taken.method, kind: taken.kind, group: parts.by, train: parts.train.length, heldOut: parts.heldOut.length,
    words: plan.words, disputed: plan.disputed.map(({ line }) => line), files, runDir, foresight,
    next: nextOf({ files, runDir }),
  };
}

const indented = (text: string): string => text.split('\n').map((line) => `  ${line}`).join('\n');

/** What comes first for a reader: what was asked, what was answered, what was said of it. */
const FIRST: readonly string[] = ['messages', 'prompt', 'input', 'completion', 'chosen', 'rejected', 'first', 'second', 'preferred'];

function columnsOf(log: Inspection): string[][] {
  const place = ({ role }: Recognised): number => (FIRST.includes(role) ? FIRST.indexOf(role) : FIRST.length);
  return [...log.columns.values()].sort((a, b) => place(a) - place(b)).map((one) => {
    const shape = log.shapes.find(({ name }) => name === one.column)!;
    const how = one.by === 'elimination' ? ' (a guess)' : '';
    return [one.column, `${one.role}${how}`, String(shape.filled), valuesOf(one, shape, log)];
  });
}

/** What the values of a column say, or one of them. */
function valuesOf({ role }: Recognised, shape: Shape, { values }: Inspection): string {
  const said = (vote: boolean | null | undefined): string => {
    if (vote === undefined) return '?';
    if (vote === null) return 'nothing';
    return vote === values.against ? 'bad' : 'good';
  };
  const shown = shape.common.map(({ value, rows }) => ({ value: value === '' ? '""' : clip(value, 16), rows, raw: value }));
  if (role === 'vote') {
    return shown.map(({ value, rows, raw }) => {
      const own = values.given[raw];
      const vote = own === undefined ? said(voteIn(numberIn(raw) ?? raw, values.zero)) : said(own === null ? null : own !== values.against);
      return `${value} ${vote} ×${rows}`;
    }).join(', ');
  }
  if (role === 'score') {
    const { scale } = values;
    const range = `${shape.numbers[0]} … ${shape.numbers.at(-1)}`;
    if (scale === undefined) return range;
    const meaning = voteOnScale(scale.good, scale) === true ? `${scale.good} and more good, ${scale.bad} and less bad` : '';
    return `${range}: ${meaning}, between nothing`;
  }
  if (role === 'conversation' || role === 'user') return `${shape.distinct} different`;
  return shown[0] === undefined ? '' : clip(shown[0].raw.replace(/\s+/g, ' '), 50);
}

/** Without half a character at its end. */
const clip = (text: string, most: number): string => (text.length > most ? `${[...text.slice(0, most + 1)].slice(0, -1).join('')}…` : text);

function unusedOf({ unused, shapes }: Inspection): string[] {
  const empty = unused.filter((name) => shapes.find((one) => one.name === name)?.filled === 0);
  const others = unused.filter((name) => !empty.includes(name));
  return [
    ...(others.length === 0 ? [] : [`  not used: ${others.join(', ')}`]), ...(empty.length === 0 ? [] : [`  empty: ${empty.join(', ')}`]),
  ];
}

function notesOf(log: Inspection, { words, disputed, unjudged }: StartPlan): string[] {
  const { good, bad } = words;
  const [first, ...others] = unjudged ?? [];
  return [
    ...(unjudged === undefined ? [] : ['  nothing says how good an answer is, so all of them are imitated']),
    ...(first === undefined ? [] : [
      `  where ${[first, ...others].join(' or ')} says it: --columns vote=${first} --values VALUE=good,OTHER=bad`,
    ]),
    ...log.questions.map(({ text, guess, option }) => `  guessed: ${text} ${guess} (${option})`),
    ...(log.values.against ? ['  true in the column of votes says that the answer is bad, by the column\'s name'] : []),
    ...(log.joined > 0 ? [`  ${log.joined} prompts begin with earlier turns of their conversation (--turns apart leaves them out)`] : []),
    ...(log.context > 0 ? [`  ${log.context} messages are turns before answers`] : []),
    ...(log.columns.has('user') ? ['  users tell rows apart and are not written'] : []),
    ...(good !== undefined && bad !== undefined ? [`  good answers have ${good} words, bad ones ${bad} (medians)`] : []),
    ...(disputed.length > 0 ? [`  ${disputed.length} answers are called both good and bad (${linesOf(disputed)}): both stay`] : []),
  ];
}

function splitOf({ parts }: StartPlan): string {
  if (parts.heldOut.length === 0) return 'since all rows belong together';
  switch (parts.by) {
    case 'conversation': return 'no conversation and no prompt in both';
    case 'user': return 'no user and no prompt in both';
    case 'date': return 'the newest; no prompt in both';
    default: return 'no prompt in both';
  }
}

function foreseen(foresight: Foresight): string[] {
  if ('unknown' in foresight) return [`Foreseen: ${foresight.unknown}.`];
  const { steps, rows, minutes, memory } = foresight;
  const whole = Math.round(minutes);
  const time = minutes < 1 ? 'under a minute' : `about ${whole} ${whole === 1 ? 'minute' : 'minutes'}`;
  return [
    `Foreseen: ${steps} steps over ${rows} rows, ${time} on two cores, ${size(memory.needed.total)} of memory at the peak `
      + `(${memory.fits ? 'fits into' : 'does not fit into'} the ${size(memory.available)} that are free).`,
    ...memory.ways.map(({ settings, total }) => `  ${settings} would need about ${size(total)}`),
  ];
}

/** The commands that follow: train, compare, serve. */
function nextOf({ files, runDir }: Pick<StartPlan, 'files' | 'runDir'>): string[] {
  const run = shellWord(runDir);
  const compare = files.heldOut === undefined
    ? `npx heed chat --adapter ${run} --compare`
    : `npx heed compare base ${run} --prompts ${shellWord(files.heldOut)}`;
  return [
    `npx heed train ${shellWord(files.recipe)}`, compare,
    `npx heed serve --adapter ${run} --feedback feedback.db`,
  ];
}
