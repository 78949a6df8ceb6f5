import { CASES, FEW, describeLayouts, describePaths } from './invariance.js';

describeLayouts(CASES);
describePaths(FEW);
