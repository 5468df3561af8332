/** The playground as a person uses it: open it on a model, ask, read the answer. */
import type { Locator, Page } from 'playwright-core';

export async function openPlayground(page: Page, origin: string, model: string): Promise<void> {
  await page.goto(`${origin}/app/?model=${encodeURIComponent(model)}&mode=chat`);
  await page.getByRole('textbox', { name: /^Message/ }).waitFor();
}

/** Sends a message; resolves when its answer has ended. */
export async function ask(page: Page, text: string): Promise<void> {
  const answers = page.getByRole('article', { name: 'Assistant' });
  const before = await answers.count();
  await page.getByRole('textbox', { name: /^Message/ }).fill(text);
  await page.keyboard.press('Enter');
  await answers.nth(before).waitFor();
  await page.locator('article[aria-label="Assistant"][aria-busy="false"]').nth(before).waitFor();
}

export const lastAnswer = (page: Page): Locator => page.getByRole('article', { name: 'Assistant' }).last();
