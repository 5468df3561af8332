import { cx } from './cx.ts';

/** How much of a limit is used. `valueText` says it in words, for screen readers and beside the bar. */
export function MeterBar({
  label,
  ratio,
  valueText,
  isTextShown = true,
}: {
  readonly label: string;
  /** 0 to 1; more is shown as full. */
  readonly ratio: number;
  readonly valueText: string;
  readonly isTextShown?: boolean;
}) {
  const share = Math.min(1, Math.max(0, ratio));
  const tone = share >= 1 ? 'bg-danger' : share >= 0.8 ? 'bg-warning' : 'bg-accent-fill';
  return (
    <div className="flex min-w-0 flex-col gap-1">
      {isTextShown && <span className="numeric text-xs text-muted">{valueText}</span>}
      <div
        role="meter"
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(share * 100)}
        aria-valuetext={valueText}
        className="h-1 overflow-hidden rounded-full bg-active"
      >
        <div
          className={cx('h-full rounded-full transition-[width]', tone)}
          style={{ width: `${share * 100}%` }}
        />
      </div>
    </div>
  );
}
