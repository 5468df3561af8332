/** The one real model that the tests share: the default preset, kept between runs in the repository's `.cache`. */
import { fileURLToPath } from 'node:url';
import { type ObtainedModel, obtainModel } from '../../src/models/obtain-model.ts';

const modelsDir = fileURLToPath(new URL('../../.cache/models/', import.meta.url));

/** SmolLM2-135M-Instruct Q4_1, downloaded and verified on the first call of a machine. */
export function obtainTestModel(): Promise<ObtainedModel> {
  return obtainModel('smollm2-135m', {
    modelsDir,
    hubUrl: 'https://huggingface.co',
    onProgress: () => {},
    signal: new AbortController().signal,
  });
}
