// @ts-check
// How many requests a second one process puts through to servers of one model. The servers are in a process of their own. Writes nothing.
import { fork } from 'node:child_process';
import { createServer } from 'node:http';
import { readOptions } from './options.js';

const USAGE = `node benchmarks/replicas.js [options]
  --servers LIST   numbers of servers to measure, one after the other; default: 1,2,4
  --delay MS       milliseconds after which a server answers; default: 50
  --questions N    questions that are asked; default: 3000`;
const { values } = readOptions(USAGE, {
  servers: { type: 'string', default: '1,2,4' },
  delay: { type: 'string', default: '50' },
  questions: { type: 'string', default: '3000' },
  serve: { type: 'string' },
});
const { createEndpointRespondent, EndpointOptions } = await import('@heed/heed');
const likely = [{ token: '1', logprob: -0.3, bytes: null }, { token: '2', logprob: -1.5, bytes: null }];
const REPLY = JSON.stringify({
  choices: [{
    index: 0, message: { role: 'assistant', content: '1' }, finish_reason: 'length',
    logprobs: { content: [{ ...likely[0], top_logprobs: likely }] },
  }],
  usage: { prompt_tokens: 200, completion_tokens: 1, total_tokens: 201 },
});

/** Starts so many servers, and tells the parent process their addresses. */
async function serve(/** @type {number} */ count) {
  const urls = [];
  for (let i = 0; i < count; i++) {
    const server = createServer((request, response) => {
      request.resume().on('end', () => setTimeout(
        () => response.writeHead(200, { 'content-type': 'application/json' }).end(REPLY), Number(values.delay),
      ));
    });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
    urls.push(`http://127.0.0.1:${/** @type {import('node:net').AddressInfo} */ (server.address()).port}/v1`);
  }
  process.send?.(urls);
}

/** Requests a second, and milliseconds of this process' CPU for each. */
async function measure(/** @type {readonly string[]} */ [url, ...replicas]) {
  const judge = createEndpointRespondent(EndpointOptions.parse({ url, ...(replicas.length > 0 && { replicas }), model: 'm' }));
  const ask = async (/** @type {number} */ count, /** @type {string} */ what) => judge.choose(Array.from({ length: count }, (_, i) => (
    { messages: [{ role: 'user', content: `${what} ${i}: ${'which of the two responses is better? '.repeat(20)}` }], answers: ['1', '2'] }
  )));
  await ask(200, 'warm-up');
  const [from, cpu, count] = [performance.now(), process.cpuUsage(), Number(values.questions)];
  const replies = await ask(count, 'question');
  const [seconds, { user, system }] = [(performance.now() - from) / 1000, process.cpuUsage(cpu)];
  await judge.close();
  const bad = replies.find((reply) => !('logprobs' in reply));
  if (bad !== undefined) throw new Error(`A question failed: ${JSON.stringify(bad)}`);
  return { perSecond: count / seconds, cpuMs: (user + system) / 1000 / count };
}

if (values.serve !== undefined) {
  await serve(Number(values.serve));
} else {
  console.log('| servers | requests a second | CPU for each |\n|---|---|---|');
  for (const count of values.servers.split(',').map(Number)) {
    const child = fork(import.meta.filename, [...process.argv.slice(2), '--serve', String(count)]);
    const urls = /** @type {readonly string[]} */ (await new Promise((resolve) => child.once('message', resolve)));
    const { perSecond, cpuMs } = await measure(urls);
    console.log(`| ${count} | ${perSecond.toFixed(0)} | ${cpuMs.toFixed(1)} ms |`);
    child.kill();
  }
}
