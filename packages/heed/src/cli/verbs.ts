/** The verbs, in the order that --help shows them. A verb's file declares its options and imports its work when it runs. */
import type { Command } from 'commander';

import * as align from './align.js';
import * as chat from './chat.js';
import * as cluster from './cluster.js';
import * as compare from './compare.js';
import * as compose from './compose.js';
import * as control from './control.js';
import * as doctor from './doctor.js';
import * as engine from './engine.js';
import * as evaluate from './evaluate.js';
import * as exporting from './export.js';
import * as feedback from './feedback.js';
import * as fitRewards from './fit-rewards.js';
import * as generate from './generate.js';
import * as importing from './import.js';
import * as infer from './infer.js';
import * as inspect from './inspect.js';
import * as label from './label.js';
import * as models from './models.js';
import type { Output } from './output.js';
import * as quickstart from './quickstart.js';
import * as report from './report.js';
import * as rows from './rows.js';
import * as serve from './serve.js';
import * as start from './start.js';
import * as split from './split.js';
import * as studio from './studio.js';
import * as sweep from './sweep.js';
import * as train from './train.js';

/** What a verb's file exports: adds the verb to the program. The verb's action prints through `out` and throws its errors. */
export type Register = (program: Command, out: Output) => void;

export const VERBS: readonly Register[] = [
  quickstart.register, train.register, align.register, sweep.register, control.register, label.register, infer.register,
  fitRewards.register, inspect.register, start.register, split.register, generate.register, evaluate.register, compare.register,
  chat.register, serve.register, studio.register, rows.register, importing.register, feedback.register, report.register, models.register,
  exporting.register, compose.register, engine.register, cluster.register, doctor.register,
];
