import { CASES, FEW, describePaths } from './invariance.js';

describePaths(CASES.filter((one) => !FEW.includes(one)));
