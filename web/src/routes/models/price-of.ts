import type { Model } from '../../api/wire-types.ts';

export type PriceUnit = NonNullable<Model['pricing']>['units'][number]['unit'];

/** US dollars for `per` of the unit; undefined when the model has no such price. */
export function priceOf({ pricing }: Model, unit: PriceUnit): number | undefined {
  return pricing?.units.find((each) => each.unit === unit)?.price;
}
