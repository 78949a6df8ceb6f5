/** The formats of other tools that rows are made of. Adding one is a file in from/, and a line here. */
import type { ImportFormat } from './format.js';
import { openWebui } from './from/open-webui.js';
import { openai } from './from/openai.js';
import { promptfoo } from './from/promptfoo.js';

export const IMPORT_FORMATS: readonly ImportFormat[] = [openai, promptfoo, openWebui];
