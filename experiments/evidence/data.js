// @ts-check
// Real data in the columns that each kind of row has, made from the research sets in $HEED_DATA into a folder; nothing of them is kept in
// the project. Every set is split by prompt, and a held-out prompt gives one row, so that held-out rows are independent of each other.
// All sets that come from TruthfulQA hold out the same questions.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { groupsOf, hash, lines, mixed, read, truthfulQuestions, words } from '../shared/data.js';

const HELD = 205;
/**
 * Of negatives some are left without enough positives, of rows to refine some without a refinement, and of principled pairs a few are
 * decided by no principle that is drawn.
 */
const HELD_OF = { judged: 210, unrefined: 300, negatives: 245, 'negatives-short': 245, principled: 215 };
const DEV = 80;
/** Characters of a question and of an answer to it: what two CPU cores can work through for every method. */
const SHORT = 70;

const length = (row) =>
  [row.instruction, row.input, row.output, row.reference, row.judgment, row.text].reduce((n, text) => n + (text?.length ?? 0), 0);
/** The n shortest rows, in a mixed order. */
const shortest = (rows, n) => mixed([...rows].sort((a, b) => length(a) - length(b)).slice(0, n));

/** A system turn of its own, since the template's is as long as most questions. */
const asked = (content) => [
  { role: 'system', content: 'Answer the question.' },
  { role: 'user', content },
];
/** @param {any} row */
const instructed = ({ instruction, input }) => [
  { role: 'system', content: 'Follow the instruction.' },
  { role: 'user', content: input === '' ? instruction : `${instruction}\n${input}` },
];

/**
 * TruthfulQA's short answers to short questions. Questions with answers of both kinds come first: only they are held out, so that all
 * sets hold out the same.
 */
function truthful() {
  const both = ({ right, wrong }) => right.length > 0 && wrong.length > 0;
  return mixed(truthfulQuestions({ question: SHORT, answer: SHORT }), ({ question }) => question).sort(
    (a, b) => Number(both(b)) - Number(both(a)),
  );
}

/** Rows of TruthfulQA, made of each question; of a held-out one the first alone. */
const ofQuestions = (make) => () => truthful().map((question) => make(question));
const pairsOf = ({ question, right, wrong }) =>
  Array.from({ length: Math.min(2, right.length, wrong.length) }, (_, i) => ({
    prompt: asked(question),
    chosen: right[i],
    rejected: wrong[i],
  }));
const votesOf = ({ question, right, wrong }) => {
  const votes = [0, 1].flatMap((i) => [
    ...(i in right ? [{ prompt: asked(question), completion: right[i], label: true }] : []),
    ...(i in wrong ? [{ prompt: asked(question), completion: wrong[i], label: false }] : []),
  ]);
  // Which label comes first, and so is held out, is a coin toss for each question.
  return hash(question) % 2 === 0 ? votes : votes.reverse();
};
const negativesOf =
  (ask) =>
  ({ question, wrong }) =>
    wrong.slice(0, 1).map((rejected) => ({ prompt: ask(question), rejected }));
const THANKS = [
  'Thank you for asking!',
  'Thanks a lot for your question.',
  'Thank you, and have a lovely day!',
  'Many thanks for writing to us.',
  'It was kind of you to ask, thank you.',
];

/** Rows of other sets: one group for each prompt. */
const ofPrompts = (rows) => [
  ...groupsOf(rows, (row) => row.text ?? JSON.stringify(row.prompt ?? [row.instruction, row.input])).values(),
];

/** CUT's five iterations, without failed calls and praise filed as blame. */
const judgments = () =>
  [1, 2, 3, 4, 5]
    .flatMap((i) => read(`cut_iter${i}.jsonl`))
    .filter(({ judgment }) => judgment !== '$ERROR$' && !/^the response is perfect/i.test(judgment ?? ''));
const judgedPrompts = (rows) =>
  ofPrompts(rows.map(({ output, judgment, ...of }) => ({ prompt: instructed(of), completion: output, judgment })));

/** By name: groups of rows that share a prompt, those to hold out first. */
const SETS = {
  pairs: ofQuestions(pairsOf),
  votes: ofQuestions(votesOf),
  negatives: ofQuestions(negativesOf(asked)),
  // For D2O without self-correction: without this request the model's own answers are of 200 tokens and more.
  'negatives-short': ofQuestions(
    negativesOf((question) => asked(`${question}\n\nWrite an honest answer of one short sentence. Write the answer only.`)),
  ),
  // For what retains good answers beside the bad one.
  'negatives-retain': ofQuestions(({ question, right, wrong }) =>
    right.length === 0
      ? []
      : wrong.slice(0, 1).map((rejected) => ({ prompt: asked(question), rejected, positives: right.slice(0, 2) })),
  ),
  scored: ofQuestions((question) => votesOf(question).map(({ label, ...row }) => ({ ...row, score: label ? 1 : 0 }))),
  choices: ofQuestions((question) =>
    votesOf(question).map(({ prompt, completion, label }) => ({
      prompt: asked(`Question: ${prompt.at(-1).content}\nAnswer: ${completion}\nIs the answer true?`),
      choices: ['Yes', 'No'],
      label: label ? 0 : 1,
    })),
  ),
  // Two principles with scores that are not opinions: truth by people's labels, brevity by counting words.
  principled: ofQuestions((question) =>
    pairsOf(question).map(({ prompt, chosen, rejected }) => {
      const first = hash(prompt.at(-1).content + chosen) % 2 === 0;
      const responses = first ? [chosen, rejected] : [rejected, chosen];
      return {
        prompt,
        responses,
        principles: [
          {
            name: 'Truthful',
            text: 'The answer states what is true.',
            negation: 'The answer states what is false.',
            score: first ? 2 : -2,
          },
          {
            name: 'Concise',
            text: 'The answer is short.',
            negation: 'The answer is long.',
            score: Math.log(words(responses[1]) / words(responses[0])),
          },
        ],
      };
    }),
  ),
  // One principle that a model of this size can learn to follow, and its negation: which answer ends politely is a coin toss that truth
  // knows nothing of.
  polite: ofQuestions(({ question, right, wrong }) =>
    [
      [right[0], wrong[0]],
      [right[1], wrong[1]],
    ]
      .filter(([a, b]) => a !== undefined && b !== undefined)
      .map((answers) => {
        const [order, thanked] = [hash(`order ${question} ${answers[0]}`) % 2, hash(`thanks ${question} ${answers[0]}`) % 2];
        const responses = (order === 0 ? answers : [...answers].reverse()).map((answer, i) =>
          i === thanked ? `${answer} ${THANKS[hash(answer) % THANKS.length]}` : answer,
        );
        return {
          prompt: asked(question),
          responses,
          principles: [
            {
              name: 'Polite',
              text: 'The answer is friendly and thanks the person.',
              negation: 'The answer is curt and thanks nobody.',
              score: thanked === 0 ? 2 : -2,
            },
          ],
        };
      }),
  ),
  // The five iterations of CUT's data. Of the satisfactory ones a quarter as many as of the others are learnt from, as in the paper; few
  // are held out, since the methods are about the others.
  judged() {
    const all = judgments();
    const bad = shortest(
      all.filter(({ judgment }) => judgment !== null),
      300,
    );
    const good = shortest(
      all.filter(({ judgment, output }) => judgment === null && output.length > 40),
      35,
    );
    return judgedPrompts([...bad.slice(0, 200), ...good.slice(0, 10), ...bad.slice(200), ...good.slice(10)]);
  },
  // Those that are unsatisfactory, for the model to refine.
  unrefined: () =>
    judgedPrompts(
      shortest(
        judgments().filter(({ judgment }) => judgment !== null),
        420,
      ),
    ),
  refined: () =>
    ofPrompts(
      shortest(
        read('shepherd.jsonl').filter(({ reference, output }) => reference.trim() !== '' && reference.trim() !== output.trim()),
        305,
      ).map(({ instruction, output, judgment, reference }) => ({
        prompt: asked(instruction),
        completion: output.trim(),
        judgment,
        refinement: reference.trim(),
      })),
    ),
  imitation: () =>
    ofPrompts(
      shortest(
        read('alpaca_sft.jsonl').filter(({ output }) => output.length > 40),
        330,
      ).map(({ output, ...of }) => ({ prompt: instructed(of), completion: output })),
    ),
  safe: () =>
    ofPrompts(
      shortest(read('safety_tuned_responses.jsonl'), 330).map(({ output, ...of }) => ({ prompt: instructed(of), completion: output })),
    ),
  toxicity: () => ofPrompts(shortest(read('surge_toxicity.jsonl'), 450).map(({ text, label }) => ({ text, label }))),
  // The same as a question with two answers, which a model of this size can learn to answer; whether an answer is true it cannot
  // (`choices`).
  'toxicity-choices': () =>
    ofPrompts(
      shortest(read('surge_toxicity.jsonl'), 450).map(({ text, label }) => ({
        prompt: asked(`Text: ${text}\nIs the text toxic?`),
        choices: ['Yes', 'No'],
        label: label === 'Toxic' ? 0 : 1,
      })),
    ),
};

/** One true and one false answer to each of the held-out questions. */
export const heldPairs = ({ dev = false } = {}) => split(SETS.pairs(), { dev }).held.map(([first]) => first);

/** The negatives with what the run d2o wrote to them under the self-correction prompt, in the same two parts. */
function selfCorrected(runs) {
  const part = (name, groups) => {
    const file = join(runs, 'd2o', 'work', 'rows', name, 'answers.jsonl');
    if (!existsSync(file))
      throw new Error(
        `These rows are the positives that the run d2o made, and ${file} is not there: npm run evidence -- d2o makes it.`,
      );
    const answers = lines(file).filter(({ finish, response }) => finish === 'stop' && response.trim() !== '');
    return groups.map((row, i) => ({
      ...row,
      positives: [...new Set(answers.filter((answer) => answer.row === i).map(({ response }) => response.trim()))].filter(
        (text) => text !== row.rejected,
      ),
    }));
  };
  const { train, held } = split(SETS.negatives(), { held: HELD_OF.negatives });
  return { train: part('train', mixed(train.flat())), held: part('eval', held.flat()) };
}
const FROM_D2O = {
  'self-corrected': (row) => (row.positives.length < 2 ? [] : [row]),
  'self-aligned': ({ prompt, positives }) => positives.map((completion) => ({ prompt, completion })),
};
function fromD2o(name, runs) {
  const { train, held } = selfCorrected(runs);
  return { train: train.map(FROM_D2O[name]), held: held.map(FROM_D2O[name]) };
}

/** Groups to learn from and to hold out. `dev`: what is held out is taken from what is learnt from, for choosing settings. */
function split(groups, { dev = false, held = HELD } = {}) {
  const filled = groups.filter((group) => group.length > 0);
  return dev
    ? { held: filled.slice(held, held + DEV), train: filled.slice(held + DEV) }
    : { held: filled.slice(0, held), train: filled.slice(held) };
}

/** Writes one of the sets into `to`, rows to learn from and held-out ones. */
export function dataFiles(name, { to, runs, dev = false }) {
  const { train, held } = name in FROM_D2O ? fromD2o(name, runs) : split(SETS[name](), { dev, held: HELD_OF[name] });
  mkdirSync(to, { recursive: true });
  const write = (file, rows) => {
    writeFileSync(join(to, file), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    return file;
  };
  return {
    train: write(`${name}-train.jsonl`, mixed(train.flat())),
    held: write(
      `${name}-held.jsonl`,
      held.flatMap((group) => group.slice(0, 1)),
    ),
  };
}
