import { FEW, METHODS_AND_FEW, describeLayouts, describePaths } from './invariance.js';

describeLayouts(METHODS_AND_FEW);
describePaths(FEW);
