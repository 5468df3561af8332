import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useCallback } from 'react';
import { request } from '../api/request.ts';

/** Ends the session and forgets everything that was loaded with it. */
export function useSignOut(): () => Promise<void> {
  const client = useQueryClient();
  const navigate = useNavigate();
  return useCallback(async () => {
    await request('/api/auth/sign-out', { method: 'POST', body: {} });
    client.clear();
    await navigate({ to: '/sign-in' });
  }, [client, navigate]);
}
