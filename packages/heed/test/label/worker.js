// A process that labels into a shared store: node worker.js STORE QUESTIONS LOG [KILL]. Every question that is asked is written to LOG;
// after KILL replies the process kills itself, without notice. At its end it prints what it asked and a hash of all replies.
import { createHash } from 'node:crypto';
import { openSync, writeSync } from 'node:fs';
import { openStore } from '../../dist/label/store.js';
import { cached } from '../../dist/label/cached.js';

const [file, count, log, kill] = process.argv.slice(2);
const asked = openSync(log, 'a');
let replies = 0;
const inner = {
  name: 'a fast judge',
  async choose(questions, { onReply } = {}) {
    const all = [];
    for (const [i, { messages }] of questions.entries()) {
      writeSync(asked, `${messages[0].content.split(' ')[1]}\n`);
      // Unlike in each process: a question answered by two would show.
      const reply = {
        logprobs: [-Math.random(), -2],
        source: 'logprobs',
        usage: { promptTokens: 400, completionTokens: 0, milliseconds: 1 },
      };
      all.push(reply);
      onReply?.(i, reply);
      if (++replies === Number(kill)) process.kill(process.pid, 'SIGKILL');
      if (i % 64 === 63) await new Promise((done) => { setImmediate(done); });
    }
    return all;
  },
};

const start = performance.now();
const store = await openStore(file);
const judge = cached(inner, store);
const words = 'and here stands what all judges are told before they are asked, which is the same for every question and rather long. ';
const questions = Array.from({ length: Number(count) }, (_, i) => ({
  messages: [{ role: 'user', content: `Question ${i} of them, ${words.repeat(3)}` }],
  answers: ['1', '2'],
}));
const given = await judge.choose(questions);
const hash = createHash('sha256').update(JSON.stringify(given)).digest('hex');
const { usage } = judge;
const seconds = (performance.now() - start) / 1000;
process.stdout.write(`${JSON.stringify({ asked: usage.asked, reused: usage.reused, hash, seconds, ...(await store.count()) })}\n`);
store.close();
