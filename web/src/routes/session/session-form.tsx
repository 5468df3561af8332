import type { FormEvent, ReactNode } from 'react';
import { usePageTitle } from '../../components/page.tsx';

/** Heading, form and what stands below: the frame of every page of the session. */
export function SessionForm({
  title,
  text,
  onSubmit,
  footer,
  children,
}: {
  readonly title: string;
  readonly text?: ReactNode;
  onSubmit?: () => void;
  readonly footer?: ReactNode;
  readonly children: ReactNode;
}) {
  usePageTitle(title);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    onSubmit?.();
  };
  return (
    <>
      <h1 className="text-center text-xl font-semibold tracking-tight">{title}</h1>
      {text !== undefined && <p className="mt-1 text-center text-sm text-muted">{text}</p>}
      <form noValidate onSubmit={submit} className="mt-6 flex flex-col gap-4">
        {children}
      </form>
      {footer !== undefined && <div className="mt-6 text-center text-sm text-muted">{footer}</div>}
    </>
  );
}
