/** The pages, in the order of the menu. */
import type { Page } from './page.js';
import { chatPage } from './pages/chat.js';
import { comparePage } from './pages/compare.js';
import { dataPage } from './pages/data.js';
import { judgesPage } from './pages/judges.js';
import { labelPage } from './pages/label.js';
import { runsPage } from './pages/runs.js';
import { tokensPage } from './pages/tokens.js';

export const PAGES: readonly Page[] = [dataPage, runsPage, comparePage, tokensPage, labelPage, judgesPage, chatPage];
