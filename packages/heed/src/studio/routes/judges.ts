/** Judges of labelling runs: how far they agree with people, what they favour, and what they cost. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Hono } from 'hono';

import type { PreferenceMeasures } from '../../label/preferences.js';
import type { LabelReport } from '../../label/report.js';
import { type Calibration, placeWarning, type PositionBias, type Verdicts } from '../../label/statistics.js';
import { kappaOfTable } from '../../run/agreement.js';
import type { JudgeLine } from '../api.js';
import type { StudioContext } from '../context.js';
import { parsedJson } from '../parsed-json.js';

/** What the labelers of Heed measure; others measure what they like. */
interface Measures {
  readonly position?: PositionBias;
  readonly named?: PreferenceMeasures['named'];
  readonly agreement?: PreferenceMeasures['agreement'];
  readonly human?: Verdicts | { readonly correlation: number; readonly n: number };
  readonly calibration?: Calibration;
}

export function judgesRoutes({ project }: StudioContext): Hono {
  const app = new Hono();
  app.get('/judges', async (c) => {
    const { runs } = await project.runs();
    const all = await Promise.all(runs.map(async (dir): Promise<JudgeLine[]> => {
      const text = await readFile(join(dir, 'label-report.json'), 'utf8').catch(() => '');
      const report = parsedJson(text) as LabelReport<Measures> | undefined;
      const readable = typeof report?.judge === 'string' && typeof report.measures === 'object';
      return readable ? [lineOf(project.named(dir), report, existsSync(join(dir, 'report.html')))] : [];
    }));
    return c.json(all.flat());
  });
  return app;
}

function lineOf(run: string, given: LabelReport<Measures>, report: boolean): JudgeLine {
  const { judge, labeler, rows, labelled, measures, failed, asking, seconds } = given;
  const { position, named, agreement, human, calibration } = measures;
  const verdicts = human !== undefined && 'balanced' in human ? human : undefined;
  const label = agreement?.label;
  const warning = placeWarning(position, named);
  const { earlier } = asking;
  const cost = asking.cost === undefined && earlier.cost === undefined ? undefined : (asking.cost ?? 0) + (earlier.cost ?? 0);
  const kappa = verdicts && kappaOfTable([verdicts.yes, verdicts.no].map(({ n, saidYes }) => [saidYes, n - saidYes]));
  return {
    run, judge, labeler, rows, labelled, failures: failed.reasons, questions: asking.questions, seconds, report,
    warning, ...(label && { agreement: { ...label, balanced: false } }),
    ...(verdicts && { verdicts, agreement: { ...verdicts.balanced, balanced: true } }), kappa,
    ...(human !== undefined && 'correlation' in human && { correlation: human.correlation }),
    ...(position && { position }), ...(calibration && { calibration }),
    spent: {
      promptTokens: asking.promptTokens + earlier.promptTokens, completionTokens: asking.completionTokens + earlier.completionTokens,
      cost,
    },
  };
}
