/** Series beyond the last colour are added up into one. */
export const seriesMax = 6;
export const seriesColors = Array.from({ length: seriesMax }, (_, index) => `var(--series-${index + 1})`);
