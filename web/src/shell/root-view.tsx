import { Outlet } from '@tanstack/react-router';
import { ToastRegion } from '../components/toast.tsx';

/** What lies around every view, signed in or not. */
export function RootView() {
  return (
    <>
      <Outlet />
      <ToastRegion />
    </>
  );
}
