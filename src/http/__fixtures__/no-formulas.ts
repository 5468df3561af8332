import type { FormulaService } from '../../chat/formula-service.ts';

/** For tests that run no official tool. */
export const noFormulas: FormulaService = {
  formulas: [],
  run: async () => {
    throw new Error('this test application has no formulas');
  },
};
