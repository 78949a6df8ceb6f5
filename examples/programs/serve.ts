// Serves the default model through OpenAI's API on a free port of this machine, and asks it once.
import { loadModel, startEngine } from '@heed/heed';
import { openVoices, startServer } from '@heed/heed/serve';

const engine = await startEngine();
const voices = await openVoices(engine, await loadModel(), { name: 'base', batch: 4 });
const server = await startServer(voices, { port: 0 });
const response = await fetch(`${server.url}/v1/chat/completions`, {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ model: 'base', max_tokens: 8, messages: [{ role: 'user', content: 'Hello!' }] }),
});
console.log(response.status, await response.json());
await server.stop();
await engine.close();
