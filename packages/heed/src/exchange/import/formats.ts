/** The formats of other tools that rows are made of. Adding one is a file in from/, a name in names.ts, and a line here. */
import type { ImportFormat } from './format.js';
import { argilla } from './from/argilla.js';
import { helpsteer } from './from/helpsteer.js';
import { inspect } from './from/inspect.js';
import { labelStudio } from './from/label-studio.js';
import { langfuse } from './from/langfuse.js';
import { librechat } from './from/librechat.js';
import { openWebui } from './from/open-webui.js';
import { openai } from './from/openai.js';
import { opentelemetry } from './from/opentelemetry.js';
import { promptfoo } from './from/promptfoo.js';
import { sharegpt } from './from/sharegpt.js';
import { ultrafeedback } from './from/ultrafeedback.js';

export const IMPORT_FORMATS: readonly ImportFormat[] = [
  openai, promptfoo, langfuse, opentelemetry, openWebui, librechat, argilla, labelStudio, inspect, sharegpt, ultrafeedback, helpsteer,
];
