import { CASES, FEW, METHODS_AND_FEW, describeLayouts, describePaths } from './invariance.js';

describeLayouts(CASES.filter((one) => !METHODS_AND_FEW.includes(one)));
describePaths(CASES.filter((one) => !FEW.includes(one)));
