/** A run that the studio started and that failed before it had a folder: nothing else would say so. */
import type { StartedJob } from '../../api.js';
import { useServer } from '../../server.js';

export function FailedJob({ listed }: { readonly listed: readonly string[] }) {
  const { value: jobs = [] } = useServer<readonly StartedJob[]>('api/jobs');
  const [newest] = jobs;
  if (newest === undefined || newest.status !== 'failed' || listed.includes(newest.run)) return null;
  return (
    <details class="failure">
      <summary>{newest.run} did not start: {newest.command}</summary>
      <pre>{newest.log}</pre>
    </details>
  );
}
