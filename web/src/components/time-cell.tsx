import { useFormats } from '../formats/use-formats.ts';

/** A point in time in a column; a phone has no room for its year and second. */
export function TimeCell({ time }: { readonly time: string }) {
  const { dateTime, day, clock } = useFormats();
  return (
    <time dateTime={time}>
      <span className="max-sm:hidden">{dateTime(time)}</span>
      <span className="sm:hidden">
        {day(time)} {clock(time)}
      </span>
    </time>
  );
}
