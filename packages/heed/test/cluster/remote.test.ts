import { once } from 'node:events';
import { type Server, createServer } from 'node:http';
import { join } from 'node:path';
import { unzipSync } from 'fflate';
import { afterEach, describe, expect, it } from 'vitest';
import { openEngine } from '../../src/cluster/open.js';
import { workerFolder } from '../../src/cluster/environment.js';
import { workerPackage } from '../../src/cluster/jobs.js';
import { openRun } from '../../src/run/folder.js';
import { heed, tinyChat } from '../cli/support.js';
import { scratchFolder } from '../support/scratch.js';
import { type GatewayDouble, gatewayDouble } from './gateway-double.js';

// ray://HOST against a double of Ray's Jobs API, whose job is the gateway in TypeScript.

const { folder, write } = scratchFolder();

interface Submitted {
  readonly entrypoint: string;
  readonly runtime_env: {
    readonly working_dir: string; readonly pip: readonly string[]; readonly env_vars: { readonly HEED_TOKEN: string };
  };
}

let servers: Server[] = [];
let gateways: GatewayDouble[] = [];
afterEach(async () => {
  for (const one of servers) one.close();
  for (const one of gateways) await one.close();
  [servers, gateways] = [[], []];
});

/** What the double says of its job, once it was submitted. */
type Job = (submitted: Submitted) => Promise<{ readonly status: string; readonly message?: string; readonly logs: string }>;

async function jobsDouble(job: Job) {
  const packages = new Map<string, Uint8Array>();
  // Ray keeps a package that was asked for, in vain too; another one goes with the job that had it, here as soon as it has come.
  const kept = new Set<string>();
  const seen: { submitted?: Submitted; stopped: boolean; uploads: number } = { stopped: false, uploads: 0 };
  let said: Awaited<ReturnType<Job>> | undefined;
  const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => void (async () => {
      const body = Buffer.concat(pieces);
      const path = request.url!;
      let answer: object = {};
      if (request.method === 'PUT') {
        seen.uploads++;
        if (kept.has(path)) packages.set(path, body);
      } else if (path.startsWith('/api/packages/gcs/')) {
        kept.add(path);
        response.statusCode = packages.has(path) ? 200 : 404;
      } else if (path === '/api/jobs/') {
        seen.submitted = JSON.parse(body.toString()) as Submitted;
        said = await job(seen.submitted);
        answer = { job_id: null, submission_id: 'job-1' };
      } else if (path.endsWith('/stop')) seen.stopped = true;
      else if (path.endsWith('/logs')) answer = { logs: said!.logs };
      else {
        const left = gateways.some(({ connected }) => connected === false);
        answer = { status: left ? 'SUCCEEDED' : said!.status, message: said!.message ?? null };
      }
      response.setHeader('content-type', 'application/json').end(JSON.stringify(answer));
    })());
  });
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return { url: `ray://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`, packages, seen };
}

describe('cluster: ray://HOST', () => {
  it('sends the program, starts it as a job, and works with the gateway that it names', async () => {
    const { url, packages, seen } = await jobsDouble(async ({ runtime_env: { env_vars } }) => {
      gateways.push(await gatewayDouble(2, env_vars.HEED_TOKEN));
      return { status: 'RUNNING', logs: `2026 INFO something\nheed gateway 127.0.0.1 ${gateways[0]!.port}\n` };
    });
    const lines: string[] = [];
    const engine = await openEngine(url, { say: (line) => lines.push(line) });
    const { entrypoint, runtime_env: environment } = seen.submitted!;
    expect(entrypoint).toBe('python -m heed_worker --host 127.0.0.1');
    expect(environment.pip).toEqual([expect.stringMatching(/^numpy==/), expect.stringMatching(/^onnxruntime==/)]);
    const [[path, bytes]] = [...packages] as [[string, Uint8Array]];
    expect(environment.working_dir).toBe(`gcs://${path.split('/').at(-1)!}`);
    expect(Object.keys(unzipSync(bytes))).toContain('heed_worker/__main__.py');
    expect(workerPackage(workerFolder()).name).toBe(path.split('/').at(-1));
    expect(engine.team!.size).toBe(2);
    const buffer = await engine.upload(Float32Array.of(1, 2));
    expect(await engine.read({ buffer, offset: 0, shape: [2] })).toEqual(Float32Array.of(1, 2));
    await engine.close();
    expect(seen.stopped).toBe(false);
    expect(lines[0]).toBe('Ray\'s job job-1 starts the workers. They begin when each machine has all of its cores free for them.');
    expect(lines[1]).toBe(`cluster ${url}: 2 workers, 1 thread each`);
    expect(lines[2]).toMatch(/^The workers worked for 0 s, 0 s\.$/);
  });

  it('says what to do where all workers are lost before they have the weights', async () => {
    const { url } = await jobsDouble(async ({ runtime_env: { env_vars } }) => {
      gateways.push(await gatewayDouble(1, env_vars.HEED_TOKEN));
      let lost = false;
      gateways[0]!.intercept = ({ request }) => {
        lost ||= request.kind === 'weights';
        return lost ? { lost: 'state', error: 'No worker is left.' } : undefined;
      };
      return { status: 'RUNNING', logs: `heed gateway 127.0.0.1 ${gateways[0]!.port}\n` };
    });
    const { model } = await tinyChat(folder, { context: 2048 });
    const recipe = write('label.yaml', JSON.stringify({
      data: write('pairs.jsonl', '{"prompt":"q","chosen":"a","rejected":"b"}\n'), judge: { local: { model } }, cluster: url,
      label: { name: 'preferences' }, store: join(folder, 'labels.db'), run: { dir: join(folder, 'label') },
    }));
    const ran = await heed(['label', recipe]);
    expect(ran.err).toContain('No worker is left.');
    expect(ran.err).toContain('--resume');
    expect(ran.code, ran.err).toBe(2);
    expect(gateways[0]!.connected).toBe(false);
  });

  it('sends no program that the cluster still has', async () => {
    const { url, seen } = await jobsDouble(async ({ runtime_env: { env_vars } }) => {
      gateways.push(await gatewayDouble(1, env_vars.HEED_TOKEN));
      return { status: 'RUNNING', logs: `heed gateway 127.0.0.1 ${gateways.at(-1)!.port}\n` };
    });
    for (let run = 0; run < 2; run++) await (await openEngine(url)).close();
    expect(seen.uploads).toBe(1);
  });

  it('ends the job where the run\'s log of its workers cannot be read', async () => {
    const { url } = await jobsDouble(async ({ runtime_env: { env_vars } }) => {
      gateways.push(await gatewayDouble(1, env_vars.HEED_TOKEN));
      return { status: 'RUNNING', logs: `heed gateway 127.0.0.1 ${gateways[0]!.port}\n` };
    });
    const run = await openRun(join(folder, 'run'), { recipe: 'model: m\n', resume: false });
    write('run/cluster.jsonl', 'no JSON\n');
    await expect(openEngine(url, { run })).rejects.toThrow(/cluster\.jsonl:1: not a JSON object: no JSON/);
    expect(gateways[0]!.connected).toBe(false);
    await run.close();
  });

  it('says why the job ended where it does not come up', async () => {
    const { url, seen } = await jobsDouble(() => Promise.resolve({ status: 'FAILED', message: 'pip failed', logs: 'no such package\n' }));
    await expect(openEngine(url)).rejects.toThrow('Ray\'s job job-1 ended before its workers ran: pip failed\nno such package');
    expect(seen.stopped).toBe(true);
  });

  it('says what to see to where the gateway cannot be reached, or refuses', async () => {
    const ended = createServer().listen(0, '127.0.0.1');
    await once(ended, 'listening');
    const { port } = ended.address() as { port: number };
    ended.close();
    await once(ended, 'close');
    const closed = await jobsDouble(() => Promise.resolve({ status: 'RUNNING', logs: `heed gateway 10.0.0.1 ${port}\n` }));
    await expect(openEngine(closed.url)).rejects.toMatchObject({
      name: 'UserError',
      message: expect.stringMatching(
        new RegExp(`^127\\.0\\.0\\.1:${port}: The cluster's gateway cannot be reached: .*ECONNREFUSED`),
      ) as string,
      hints: [expect.stringContaining('firewall'), 'Without the cluster: cluster=null.'],
    });
    expect(closed.seen.stopped).toBe(true);
    gateways.push(await gatewayDouble(1, 'of another run'));
    const taken = await jobsDouble(() => Promise.resolve({ status: 'RUNNING', logs: `heed gateway 127.0.0.1 ${gateways[0]!.port}\n` }));
    await expect(openEngine(taken.url)).rejects.toMatchObject({
      name: 'UserError', message: expect.stringContaining('refused the token') as string,
    });
  });

  it('says what does not answer, or is no Ray', async () => {
    const server = createServer((_request, response) => response.writeHead(404).end('nothing here'));
    servers.push(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    await expect(openEngine(`ray://127.0.0.1:${port}`)).rejects.toThrow(/answered 404: nothing here/);
    // Another port: a connection that is kept alive would be taken once more, and end otherwise.
    const ended = createServer().listen(0, '127.0.0.1');
    await once(ended, 'listening');
    const { port: nobody } = ended.address() as { port: number };
    ended.close();
    await once(ended, 'close');
    await expect(openEngine(`ray://127.0.0.1:${nobody}`)).rejects.toThrow(/^Ray's Jobs API cannot be reached at http:.*ECONNREFUSED/);
  });
});
