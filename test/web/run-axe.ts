/** What the accessibility rules of WCAG 2.2 AA, and axe's own best practices, find wrong with a page. */
import axe from 'axe-core';
import type { Page } from 'playwright-core';

/** One line per element that breaks a rule. */
export async function runAxe(page: Page): Promise<readonly string[]> {
  if (!(await page.evaluate('"axe" in window'))) await page.evaluate(axe.source);
  return page.evaluate(`axe
    .run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })
    .then(({ violations }) => violations.flatMap(({ id, nodes }) =>
      nodes.map(({ target, failureSummary }) => id + ' ' + target.join(' ') + ': ' + failureSummary)))`);
}
