/** Days of a time zone as stretches of UTC milliseconds: databases disagree about zones, so no SQL does this. */

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** ICU's own names of zones that the IANA database has renamed. The runtime answers in these. */
const renamedZones: Readonly<Record<string, string>> = {
  'Africa/Asmera': 'Africa/Asmara',
  'America/Buenos_Aires': 'America/Argentina/Buenos_Aires',
  'America/Catamarca': 'America/Argentina/Catamarca',
  'America/Coral_Harbour': 'America/Atikokan',
  'America/Cordoba': 'America/Argentina/Cordoba',
  'America/Godthab': 'America/Nuuk',
  'America/Indianapolis': 'America/Indiana/Indianapolis',
  'America/Jujuy': 'America/Argentina/Jujuy',
  'America/Louisville': 'America/Kentucky/Louisville',
  'America/Mendoza': 'America/Argentina/Mendoza',
  'Asia/Calcutta': 'Asia/Kolkata',
  'Asia/Katmandu': 'Asia/Kathmandu',
  'Asia/Rangoon': 'Asia/Yangon',
  'Asia/Saigon': 'Asia/Ho_Chi_Minh',
  'Atlantic/Faeroe': 'Atlantic/Faroe',
  'Europe/Kiev': 'Europe/Kyiv',
  'Pacific/Enderbury': 'Pacific/Kanton',
  'Pacific/Ponape': 'Pacific/Pohnpei',
  'Pacific/Truk': 'Pacific/Chuuk',
};

let canonicalZones: ReadonlySet<string> | undefined;

/** The canonical name of a zone that a browser reports under its old one (`Asia/Calcutta`); others stay as they are. */
export function renameTimeZone(name: string): string {
  return renamedZones[name] ?? name;
}

/** True for a canonical IANA name in its exact spelling (`Asia/Kolkata`, `UTC`); never for offsets and aliases. */
export function isCanonicalTimeZone(name: string): boolean {
  canonicalZones ??= new Set([
    'UTC',
    ...Intl.supportedValuesOf('timeZone').map((zone) => renamedZones[zone] ?? zone),
  ]);
  return canonicalZones.has(name);
}

/** A day of a zone, or the part of it that lies in the window. */
export interface ZoneDay {
  /** `2026-07-21`. */
  readonly day: string;
  /** Milliseconds since 1970; `to` is not part of it. */
  readonly from: number;
  readonly to: number;
}

/** One per zone, of which there are some hundreds: making one loads the zone's rules. */
const dayFormats = new Map<string, Intl.DateTimeFormat>();

function dayFormatOf(timeZone: string): Intl.DateTimeFormat {
  const known = dayFormats.get(timeZone);
  if (known !== undefined) return known;
  // Swedish dates are ISO dates.
  const format = new Intl.DateTimeFormat('sv-SE', {
    timeZone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
  });
  dayFormats.set(timeZone, format);
  return format;
}

/** The first use of any zone reads the rules of all, some tens of milliseconds; better before the first request. */
export function loadTimeZones(): void {
  dayFormatOf('UTC').format(0);
  isCanonicalTimeZone('UTC');
}

/** Cuts a window into the days of a zone. Days have 23 or 25 hours where clocks change, and may begin at 01:00. */
export function splitDays(from: number, to: number, timeZone: string): readonly ZoneDay[] {
  const format = dayFormatOf(timeZone);
  const days: ZoneDay[] = [];
  for (let start = from; start < to; ) {
    const day = format.format(start);
    const end = Math.min(
      to,
      findDayEnd(start, (at) => format.format(at) === day),
    );
    days.push({ day, from: start, to: end });
    start = end;
  }
  return days;
}

/** The first moment after `start` that is not of the same day. */
function findDayEnd(start: number, isSameDay: (at: number) => boolean): number {
  const regularEnd = start + dayMs;
  if (!isSameDay(regularEnd) && isSameDay(regularEnd - 1)) return regularEnd;
  let inside = start;
  let outside = start + hourMs;
  while (isSameDay(outside)) {
    inside = outside;
    outside += hourMs;
  }
  while (outside - inside > 1) {
    const middle = Math.floor((inside + outside) / 2);
    if (isSameDay(middle)) inside = middle;
    else outside = middle;
  }
  return outside;
}
