import { Link } from '@tanstack/react-router';

/** The mark and the name; leads to the start. */
export function Logo() {
  return (
    <Link to="/" className="flex items-center gap-2 rounded-md px-1 py-1 font-semibold tracking-tight">
      <LogoMark size={22} />
      <span className="text-base">Perigee</span>
    </Link>
  );
}

/** An orbit, and the body nearest to it. */
export function LogoMark({ size }: { readonly size: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" fill="none" aria-hidden="true">
      <rect width="32" height="32" rx="8" className="fill-accent-fill" />
      <ellipse cx="16" cy="16" rx="11" ry="6.5" transform="rotate(-32 16 16)" stroke="#fff" strokeWidth="2" />
      <circle cx="12.6" cy="18.2" r="3.1" fill="#fff" />
      <circle cx="25" cy="9.6" r="2.1" fill="#fff" />
    </svg>
  );
}
