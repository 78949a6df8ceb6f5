// Has a judge choose between two answers. The judge is the model itself; `{ endpoint: … }` asks a server.
import { failed, openRespondent } from '@heed/heed/label';

const judge = await openRespondent({ local: {} });
const [reply] = await judge.choose([
  {
    messages: [{ role: 'user', content: 'Which is a colour? (A) blue (B) seven. Answer with A or B.' }],
    answers: ['A', 'B'],
  },
]);
if (reply === undefined || failed(reply)) console.log('no answer:', reply?.detail);
else console.log(`P(A) = ${Math.exp(reply.logprobs[0] ?? -Infinity).toFixed(3)}, from ${reply.source}`);
await judge.close();
