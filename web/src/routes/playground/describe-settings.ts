import type { Settings } from './settings.ts';

/**
 * The title of a column beside another: model and what is not the default, in the API's own words. What the other
 * column does not have stands first, so that a narrow column still tells the two apart.
 */
export function describeSettings(settings: Settings, other: Settings): string {
  const others = new Set(listParts(other));
  return listParts(settings)
    .toSorted((one, two) => Number(others.has(one)) - Number(others.has(two)))
    .join(' · ');
}

function listParts(settings: Settings): readonly string[] {
  const { model, format, parameters, systemPrompt } = settings;
  return [
    model.split('/').at(-1) ?? model,
    ...(format === 'text' ? [] : [format]),
    ...(settings.isWebSearchOn ? ['$web_search'] : []),
    ...(settings.areToolsOn ? ['tools'] : []),
    ...Object.entries(parameters).map(([name, value]) => `${name} ${value}`),
    ...(systemPrompt === '' ? [] : [`system: ${systemPrompt}`]),
  ];
}
