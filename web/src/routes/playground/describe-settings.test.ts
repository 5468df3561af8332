import { describe, expect, it } from 'vitest';
import { describeSettings } from './describe-settings.ts';
import { createSettings } from './settings.ts';

const plain = createSettings('moonshot/kimi-k2-turbo-preview');

describe('the title of a compared column', () => {
  it('begins with what the other column does not have', () => {
    const left = { ...plain, parameters: { max_completion_tokens: 30 } };
    const right = { ...plain, parameters: { max_completion_tokens: 30, temperature: 1.5 } };
    expect(describeSettings(left, right)).toBe('kimi-k2-turbo-preview · max_completion_tokens 30');
    expect(describeSettings(right, left)).toBe(
      'temperature 1.5 · kimi-k2-turbo-preview · max_completion_tokens 30',
    );
  });

  it('begins with the model where two models are compared', () => {
    const left = { ...plain, format: 'json_object' as const };
    const right = { ...left, model: 'other/model' };
    expect(describeSettings(right, left)).toBe('model · json_object');
  });

  it('names search, tools and the system prompt, which are no parameters', () => {
    const left = { ...plain, isWebSearchOn: true, areToolsOn: true, systemPrompt: 'Be short.' };
    expect(describeSettings(left, plain)).toBe(
      '$web_search · tools · system: Be short. · kimi-k2-turbo-preview',
    );
  });

  it('is the model alone where nothing was chosen', () => {
    expect(describeSettings(plain, plain)).toBe('kimi-k2-turbo-preview');
  });
});
