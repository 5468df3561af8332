import type { People } from '../../accounts/create-people.ts';
import type { PlaygroundKeys } from '../../keys/playground-keys.ts';

const refuse = async (): Promise<never> => {
  throw new Error('this test application has no store; open one with openPlatformApp');
};

/** For tests without a store: nobody is signed in, and whoever tries hears of it. */
export const noPeople: People = {
  sessions: {
    find: refuse,
    renew: refuse,
    list: refuse,
    end: refuse,
    endOthers: refuse,
    forgetExpired: refuse,
  },
  entrance: {
    signUp: refuse,
    signIn: refuse,
    signOut: refuse,
    forgotPassword: refuse,
    resetPassword: refuse,
    changePassword: refuse,
    startOidc: refuse,
    finishOidc: refuse,
  },
  profiles: { read: refuse, change: refuse },
  invites: {
    create: refuse,
    list: refuse,
    findOpen: refuse,
    findOpenById: refuse,
    findOpenFor: refuse,
    revoke: refuse,
  },
  resets: {
    ask: () => undefined,
    send: refuse,
    createLink: refuse,
    listRequests: refuse,
    closeRequest: refuse,
    endLinks: refuse,
    settle: async () => {},
  },
  mailInvite: refuse,
  describe: () => ({
    publicUrl: 'http://127.0.0.1:8787',
    signUpMode: 'open',
    hasSmtp: false,
    oidcName: undefined,
  }),
  close: async () => {},
};

export const noPlaygroundKeys: PlaygroundKeys = { callerOf: refuse };
