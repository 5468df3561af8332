import { useEffect, useState } from 'react';

const secondMs = 1_000;

/** Hours, minutes and seconds to a moment, counted down in sight; a day and more as days and hours. */
export function Countdown({ toMs }: { readonly toMs: number }) {
  const [nowMs, setNowMs] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNowMs(Date.now()), secondMs);
    return () => clearInterval(timer);
  }, []);
  return <span className="numeric">{writeLeft(toMs - nowMs)}</span>;
}

/** `2d 03h`, `01:02:03`, `–` when it is over. */
export function writeLeft(leftMs: number): string {
  if (leftMs <= 0) return '–';
  const seconds = Math.ceil(leftMs / secondMs);
  const pad = (value: number): string => String(Math.floor(value)).padStart(2, '0');
  if (seconds >= 86_400) return `${Math.floor(seconds / 86_400)}d ${pad((seconds % 86_400) / 3_600)}h`;
  return `${pad(seconds / 3_600)}:${pad((seconds % 3_600) / 60)}:${pad(seconds % 60)}`;
}
