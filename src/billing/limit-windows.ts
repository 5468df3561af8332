/** Where the periods of key limits begin, in UTC: days, weeks from Monday, months from the 1st. */

const dayMs = 86_400_000;

export interface WindowStarts {
  readonly day: number;
  readonly week: number;
  readonly month: number;
}

/** The starts of the periods that hold `at`, all in milliseconds since 1970. */
export function findWindowStarts(at: number): WindowStarts {
  const dayNumber = Math.floor(at / dayMs);
  // Day 0 of the epoch was a Thursday, three days after a Monday.
  const daysSinceMonday = (((dayNumber + 3) % 7) + 7) % 7;
  const date = new Date(at);
  return {
    day: dayNumber * dayMs,
    week: (dayNumber - daysSinceMonday) * dayMs,
    month: Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1),
  };
}
