import {
  cloneElement,
  type FocusEvent,
  type HTMLAttributes,
  type PointerEvent,
  type ReactElement,
  useEffect,
  useRef,
  useState,
} from 'react';
import { createPortal } from 'react-dom';
import { Shortcut } from './shortcut.tsx';

const delayMs = 400;
const gap = 6;
/** A tooltip is at most this wide (`max-w-72`) and stays this far from the window's edges. */
const widthMax = 288;
const margin = 8;

interface Place {
  /** Middle of the trigger. */
  readonly x: number;
  /** The edge that the tooltip stands at. */
  readonly y: number;
  readonly isAbove: boolean;
}

interface TooltipProps {
  readonly text: string;
  readonly shortcut?: string | undefined;
  /** One element that takes pointer and focus events. It must have its own name: this one is not read aloud. */
  readonly children: ReactElement<HTMLAttributes<HTMLElement>>;
}

/**
 * A short text on hover and keyboard focus, gone with Escape. It repeats or explains; nothing may be found only here.
 * Written here because it stands on every icon: Base UI's would be an eighth of the first load.
 */
export function Tooltip({ text, shortcut, children }: TooltipProps) {
  const [place, setPlace] = useState<Place>();
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const hide = (): void => {
    clearTimeout(timer.current);
    setPlace(undefined);
  };
  useEffect(() => () => clearTimeout(timer.current), []);
  useEffect(() => {
    if (place === undefined) return undefined;
    const onKeyDown = (event: KeyboardEvent) => event.key === 'Escape' && setPlace(undefined);
    const onScroll = () => setPlace(undefined);
    window.addEventListener('keydown', onKeyDown);
    window.addEventListener('scroll', onScroll, true);
    return () => {
      window.removeEventListener('keydown', onKeyDown);
      window.removeEventListener('scroll', onScroll, true);
    };
  }, [place]);
  const trigger = cloneElement(children, {
    onPointerEnter: (event: PointerEvent<HTMLElement>) => {
      if (event.pointerType === 'touch') return;
      const element = event.currentTarget;
      timer.current = setTimeout(() => setPlace(placeBeside(element)), delayMs);
    },
    onPointerLeave: hide,
    onPointerDown: hide,
    onFocus: (event: FocusEvent<HTMLElement>) => {
      if (event.currentTarget.matches(':focus-visible')) setPlace(placeBeside(event.currentTarget));
    },
    onBlur: hide,
  });
  return (
    <>
      {trigger}
      {place !== undefined &&
        createPortal(
          <div
            role="tooltip"
            style={{ left: place.x, top: place.y }}
            className={`pointer-events-none fixed z-50 flex max-w-72 -translate-x-1/2 items-center gap-2 rounded-md bg-text px-2 py-1 text-xs text-ground shadow-lg ${place.isAbove ? '-translate-y-full' : ''}`}
          >
            {text}
            {shortcut !== undefined && <Shortcut keys={shortcut} isInverse />}
          </div>,
          document.body,
        )}
    </>
  );
}

function placeBeside(element: HTMLElement): Place {
  const box = element.getBoundingClientRect();
  const isAbove = box.bottom + 48 > window.innerHeight;
  const half = widthMax / 2 + margin;
  const middle = box.left + box.width / 2;
  // Near an edge the text is assumed to be at its widest only when the trigger is that near, too.
  const x = Math.min(
    Math.max(middle, Math.min(half, margin + 64)),
    window.innerWidth - Math.min(half, margin + 64),
  );
  return { x, y: isAbove ? box.top - gap : box.bottom + gap, isAbove };
}
