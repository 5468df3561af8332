import { createMathPlugin } from '@streamdown/math';
import 'katex/dist/katex.min.css';

/** `$$…$$` alone: a single dollar is money far more often. */
export const mathPlugin = createMathPlugin({ errorColor: 'var(--danger)' });
