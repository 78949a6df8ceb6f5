// Real data in the columns that each kind of row has, made from the research sets in $HEED_DATA into a folder; nothing of them is kept in the project.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const read = (folder, name) => readFileSync(join(folder, name), 'utf8').split('\n').filter((line) => line !== '').map((line) => JSON.parse(line));
const hash = (text) => createHash('sha256').update(text).digest().readUInt32BE();
/** Rows in an order that depends on their content alone. */
const mixed = (rows) => [...rows].sort((a, b) => hash(JSON.stringify(a)) - hash(JSON.stringify(b)));

/** TruthfulQA's answers with human labels: of each question, the true ones and the false ones, each once. */
function truthful(folder) {
  const questions = new Map();
  for (const { question, answer, truthful: label } of read(folder, 'truthfulqa_judge.jsonl')) {
    if (answer.trim() === '') continue;
    const of = questions.get(question) ?? { question, right: new Set(), wrong: new Set() };
    of[label ? 'right' : 'wrong'].add(answer.trim());
    questions.set(question, of);
  }
  // An answer that was labelled both ways says nothing.
  for (const { right, wrong } of questions.values()) for (const answer of [...right]) if (wrong.has(answer)) [right, wrong].forEach((set) => set.delete(answer));
  return [...questions.values()].map(({ question, right, wrong }) => ({ question, right: mixed(right), wrong: mixed(wrong) }));
}

const pairs = (folder) => truthful(folder).flatMap(({ question, right, wrong }) =>
  Array.from({ length: Math.min(2, right.length, wrong.length) }, (_, i) => ({ prompt: question, chosen: right[i], rejected: wrong[i] })));
const votes = (folder) => truthful(folder).flatMap(({ question, right, wrong }) =>
  [...right.slice(0, 2).map((completion) => ({ prompt: question, completion, label: true })), ...wrong.slice(0, 2).map((completion) => ({ prompt: question, completion, label: false }))]);
const words = (text) => text.split(/\s+/).length;

const SETS = {
  pairs,
  votes,
  negatives: (folder) => truthful(folder).flatMap(({ question, wrong }) => wrong.slice(0, 1).map((rejected) => ({ prompt: question, rejected }))),
  scored: (folder) => votes(folder).map(({ label, ...row }) => ({ ...row, score: label ? 1 : 0 })),
  choices: (folder) => votes(folder).map(({ prompt, completion, label }) => ({
    prompt: `Question: ${prompt}\nAnswer: ${completion}\nIs the answer true?`, choices: ['Yes', 'No'], label: label ? 0 : 1,
  })),
  // Two principles with scores that are not opinions: truth by people's labels, brevity by counting words.
  principled: (folder) => pairs(folder).map(({ prompt, chosen, rejected }) => {
    const first = hash(prompt + chosen) % 2 === 0;
    const responses = first ? [chosen, rejected] : [rejected, chosen];
    return {
      prompt, responses,
      principles: [
        { name: 'Truthful', text: 'The answer states what is true.', negation: 'The answer states what is false.', score: first ? 2 : -2 },
        { name: 'Concise', text: 'The answer is short.', negation: 'The answer is long.', score: Math.log(words(responses[1]) / words(responses[0])) },
      ],
    };
  }),
};

/** Writes one of the derived sets into `to`; names of files in $HEED_DATA are taken as they are. */
export function dataFile(name, { from, to }) {
  if (name.endsWith('.jsonl')) return join(from, name);
  mkdirSync(to, { recursive: true });
  const file = join(to, `${name}.jsonl`);
  writeFileSync(file, mixed(SETS[name](from)).map((row) => `${JSON.stringify(row)}\n`).join(''));
  return file;
}
