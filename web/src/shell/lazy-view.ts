import { lazyRouteComponent } from '@tanstack/react-router';
import { request } from '../api/request.ts';

/**
 * The component of a route or a dialog, its script loaded when that is first opened. The router takes a script that is
 * missing for one of an older version and loads the page anew, which leaves nothing of the app where the server is
 * merely down: so the server is asked first, and the view fails with ApiFailure when there is no answer.
 */
export function lazyView<Module extends Record<string, unknown>, Name extends keyof Module>(
  load: () => Promise<Module>,
  name: Name,
) {
  return lazyRouteComponent(async () => {
    try {
      return await load();
    } catch (error) {
      await request('/api/session');
      throw error;
    }
  }, name);
}
