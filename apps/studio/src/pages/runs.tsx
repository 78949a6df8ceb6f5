/** Runs: the list, and one that is opened. */
import type { Page } from '../page.js';
import { place } from '../router.js';
import { RunList } from './run/list.js';
import { OpenedRun } from './run/run.js';
import '../style/runs.css';

function Runs() {
  const run = place.value.params.get('run');
  return run === null ? <RunList /> : <OpenedRun key={run} run={run} />;
}

export const runsPage: Page = { id: 'runs', title: 'Runs', key: 'r', view: Runs };
