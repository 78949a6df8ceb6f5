/** `report.html` of a run. */
import { existsSync, readFileSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { arch, cpus, platform, release, totalmem } from 'node:os';
import { dirname, join, resolve } from 'node:path';

import { CLUSTER_LOG, clusterStateOf, describeCluster } from '../cluster-log.js';
import { atomicWrite } from '../files.js';
import { readLog } from '../metrics.js';
import { readRun } from './data.js';
import { renderPage } from './page.js';

/** The workers of a run's cluster, and what was lost with them. */
async function clusterFacts(runDir: string): Promise<[string, string][]> {
  const state = clusterStateOf(await readLog(join(runDir, CLUSTER_LOG)));
  return state === undefined ? [] : [['cluster', describeCluster(state)]];
}

async function environment(runDir: string): Promise<[string, string][]> {
  const [cpu] = cpus();
  const device = join(runDir, 'device.json');
  return [
    ...(existsSync(device) ? [['device', JSON.parse(readFileSync(device, 'utf8')) as string] satisfies [string, string]] : []),
    ...(await clusterFacts(runDir)),
    ['Node.js', process.version],
    ['system', `${platform()} ${arch()} ${release()}`],
    ['processor', `${cpu?.model.trim() || 'unknown'} × ${cpus().length}`],
    ['memory', `${(totalmem() / 2 ** 30).toFixed(1)} GiB`],
  ];
}

/**
 * Writes `report.html` into a run folder: one file that opens offline, of a finished run or of one under way.
 * The environment shown is that of this process. The page of a labelling run stays as labelling wrote it.
 *
 * @returns the file's absolute path.
 * @throws UserError when the folder is not a run's, or a log in it was damaged.
 */
export async function writeReport(runDir: string): Promise<string> {
  const run = await readRun(runDir);
  const path = join(resolve(runDir), 'report.html');
  // Labelling wrote its page from what it had in hand; the folder alone does not hold that.
  if (run.summary?.['job'] === 'label' && existsSync(path)) return path;
  // The package exports no path to its browser build, but it lies beside the main file.
  const charts = dirname(createRequire(import.meta.url).resolve('uplot'));
  const [chartScript, chartStyle] = await Promise.all([
    readFile(join(charts, 'uPlot.iife.min.js'), 'utf8'),
    readFile(join(charts, 'uPlot.min.css'), 'utf8'),
  ]);
  // A report that is written again says when its run finished all the same.
  const { mtime: time } = run.summary === undefined ? { mtime: new Date() } : await stat(join(runDir, 'summary.json'));
  const written = `${time.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  await atomicWrite(path, renderPage(run, { chartScript, chartStyle, environment: await environment(runDir), written }));
  return path;
}
