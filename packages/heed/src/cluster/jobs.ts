import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { request } from 'node:http';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { type Zippable, zipSync } from 'fflate';
import { z } from 'zod';
import { UserError } from '../errors.js';

/** Ray's Jobs API, as far as it is needed (https://docs.ray.io/en/latest/cluster/running-applications/job-submission/api.html). */
export interface Jobs {
  /** Puts a package where a job can take it from. Returns its address within the cluster. */
  upload(name: string, bytes: Uint8Array): Promise<string>;
  /** Starts a job; its id. */
  submit(job: Submission): Promise<string>;
  status(id: string): Promise<{ readonly status: Status; readonly message: string }>;
  /** All that the job has printed, stdout and stderr together. */
  logs(id: string): Promise<string>;
  /** Asks the job to end. */
  stop(id: string): Promise<void>;
}

export interface Submission {
  /** A command line. */
  readonly entrypoint: string;
  readonly runtimeEnv: {
    readonly working_dir: string; readonly pip: readonly string[]; readonly env_vars: Readonly<Record<string, string>>;
  };
  /** What people see of it in Ray's dashboard. */
  readonly metadata: Readonly<Record<string, string>>;
}

const Status = z.enum(['PENDING', 'RUNNING', 'STOPPED', 'SUCCEEDED', 'FAILED']);
export type Status = z.infer<typeof Status>;

const Job = z.object({ status: Status, message: z.string().nullish() });
const Submitted = z.object({ submission_id: z.string() });
const Logs = z.object({ logs: z.string() });

/** How long an answer may take, in milliseconds. */
const PATIENCE = 60_000;

/** The token of a Ray cluster, from where Ray's own clients take it. */
function authToken(env: NodeJS.ProcessEnv): string | undefined {
  if (env['RAY_AUTH_TOKEN']) return env['RAY_AUTH_TOKEN'];
  const file = env['RAY_AUTH_TOKEN_PATH'] ?? join(homedir(), '.ray', 'auth_token');
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : undefined;
}

/** @param host as in `ray://HOST` */
export function openJobs(host: string, port: number, token = authToken(process.env)): Jobs {
  const root = `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
  const hints = [`See that ${root} is the dashboard of a Ray cluster, and can be reached from here.`, 'Without the cluster: cluster=null.'];

  async function answerOf(method: string, path: string, body: Uint8Array | string): ReturnType<typeof ask> {
    const answer = await ask(`${root}${path}`, method, body, token).catch((error: Error) => {
      throw new UserError(`Ray's Jobs API cannot be reached at ${root}: ${error.message}`, hints);
    });
    if (answer.status === 401 || answer.status === 403) {
      throw new UserError(`${root} wants ${token === undefined ? 'a token' : 'another token'}.`, [
        'Give the cluster\'s token in RAY_AUTH_TOKEN, or the file that holds it in RAY_AUTH_TOKEN_PATH. Default: ~/.ray/auth_token.',
      ]);
    }
    return answer;
  }
  async function call(method: string, path: string, body: Uint8Array | string = ''): Promise<string> {
    const { status, text } = await answerOf(method, path, body);
    if (status >= 300) throw new UserError(`${root}${path} answered ${status}: ${text.slice(0, 500)}`, hints);
    return text;
  }
  async function json<T>(schema: z.ZodType<T>, ...given: Parameters<typeof call>): Promise<T> {
    const text = await call(...given);
    try {
      return schema.parse(JSON.parse(text));
    } catch {
      throw new UserError(`${root}${given[1]} gave no answer of Ray's Jobs API.`, hints);
    }
  }

  return {
    async upload(name, bytes) {
      const path = `/api/packages/gcs/${name}`;
      // Ray drops a package when the last job that has it ends. Whoever asks for it has Ray keep it for ten minutes, there or not.
      const { status } = await answerOf('GET', path, '');
      if (status !== 200) await call('PUT', path, bytes);
      return `gcs://${name}`;
    },
    async submit({ entrypoint, runtimeEnv, metadata }) {
      const body = JSON.stringify({ entrypoint, runtime_env: runtimeEnv, metadata });
      return (await json(Submitted, 'POST', '/api/jobs/', body)).submission_id;
    },
    async status(id) {
      const { status, message } = await json(Job, 'GET', `/api/jobs/${id}`);
      return { status, message: message ?? '' };
    },
    logs: async (id) => (await json(Logs, 'GET', `/api/jobs/${id}/logs`)).logs,
    stop: async (id) => void (await call('POST', `/api/jobs/${id}/stop`)),
  };
}

/** Asks over HTTP. `fetch` says in a header that it may be a browser, to which Ray allows less. */
function ask(url: string, method: string, body: Uint8Array | string, token: string | undefined): Promise<{ status: number; text: string }> {
  const headers = { 'content-type': 'application/json', ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) };
  return new Promise((resolve, reject) => {
    const asked = request(url, { method, headers, agent: false, timeout: PATIENCE }, (response) => {
      const pieces: Buffer[] = [];
      response.on('data', (piece: Buffer) => pieces.push(piece)).on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode!, text: Buffer.concat(pieces).toString() }));
    });
    asked.on('timeout', () => asked.destroy(new Error(`no answer within ${PATIENCE / 1000} s`))).on('error', reject);
    asked.end(body);
  });
}

/** The Python program as a package of Ray: the same bytes for the same files, named after them. */
export function workerPackage(folder: string): { readonly name: string; readonly bytes: Uint8Array } {
  const files: Zippable = {};
  const program = 'heed_worker';
  for (const file of readdirSync(join(folder, program)).sort()) {
    if (file.endsWith('.py')) files[`${program}/${file}`] = [readFileSync(join(folder, program, file)), { mtime: '1980-01-01T00:00:00Z' }];
  }
  const bytes = zipSync(files);
  return { name: `_ray_pkg_heed_${createHash('sha256').update(bytes).digest('hex').slice(0, 16)}.zip`, bytes };
}
