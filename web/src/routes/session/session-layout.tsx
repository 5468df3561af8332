import { Outlet } from '@tanstack/react-router';
import { LogoMark } from '../../shell/logo.tsx';
import { LanguageSwitch } from './language-switch.tsx';

/** The page around sign-in and its relatives: one column in the middle. */
export function SessionLayout() {
  return (
    <div className="flex min-h-dvh flex-col">
      <header className="flex h-14 items-center justify-end px-4">
        <LanguageSwitch />
      </header>
      <main className="flex flex-1 flex-col items-center px-4 pt-[6vh] pb-16">
        <LogoMark size={40} />
        <div className="mt-5 w-full max-w-sm">
          <Outlet />
        </div>
      </main>
    </div>
  );
}
