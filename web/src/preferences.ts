/** What one browser remembers between visits. Never secrets: any script of this origin can read it. */
type PreferenceName = 'theme' | 'language' | 'sidebar' | 'playground';

/** Undefined when nothing was stored, or the browser forbids storage. */
export function readPreference(name: PreferenceName): string | undefined {
  try {
    return localStorage.getItem(`perigee.${name}`) ?? undefined;
  } catch {
    // Storage is switched off: every visit is the first.
    return undefined;
  }
}

/** Undefined forgets it. */
export function writePreference(name: PreferenceName, value: string | undefined): void {
  try {
    if (value === undefined) localStorage.removeItem(`perigee.${name}`);
    else localStorage.setItem(`perigee.${name}`, value);
  } catch {
    // Storage is full or switched off: the choice holds until the page is left.
  }
}
