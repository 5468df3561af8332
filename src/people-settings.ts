/** Settings of how people come in: sign-up, mail, single sign-on. A part of the table in `settings.ts`. */
import { z } from 'zod';
import { signUpModes } from './accounts/entrance-rules.ts';
import { type Setting, setting, textList, usd } from './setting.ts';

export const peopleSettings = {
  publicUrl: setting({
    schema: z
      .url({ protocol: /^https?$/ })
      .transform((text) => new URL(text).origin)
      .optional(),
    description:
      'Address under which people reach this server, without a path; links in mails begin with it, and https makes cookies `Secure`.',
    defaultText: 'from host and port',
  }),
  trustedProxies: setting({
    schema: textList.optional(),
    description:
      'Addresses of reverse proxies whose `X-Forwarded-For` is believed, separated by commas (networks as `10.0.0.0/8`).',
    defaultText: 'none',
  }),
  signUpMode: setting({
    schema: z.enum(signUpModes).default('approval'),
    description:
      'Who may make an account: everybody (`open`), everybody after an administrator agreed (`approval`), or whoever has an invite (`invite`).',
    flag: { scope: 'serve', value: 'open|approval|invite' },
  }),
  signUpCreditUsd: setting({
    schema: usd.prefault('0'),
    description: 'Opening balance of every other new account, in US dollars.',
    environmentAliases: ['PERIGEE_SIGNUP_CREDIT_USD'],
    defaultText: '`0`',
  }),
  authSecret: setting({
    schema: z.string().min(32, 'must have at least 32 characters').optional(),
    description: 'What session cookies are signed with, the same for all replicas.',
    defaultText: 'drawn once, kept in the database',
    isSecret: true,
  }),
  smtpUrl: setting({
    schema: z.url({ protocol: /^smtps?$/ }).optional(),
    description:
      'Mail server for new passwords and invites, e.g. `smtp://user:password@mail.example.org:587`.',
    defaultText: 'none; an administrator hands links over',
    isSecret: true,
  }),
  smtpFrom: setting({
    schema: z.email().optional(),
    description: 'Sender of those mails.',
    defaultText: '`perigee@` and the host of `publicUrl`',
  }),
  oidcIssuer: setting({
    schema: z.url({ protocol: /^https?$/ }).optional(),
    description: 'OIDC provider that people may sign in with; needs `oidcClientId` and `oidcClientSecret`.',
    defaultText: 'none',
  }),
  oidcClientId: setting({
    schema: z.string().min(1).optional(),
    description:
      'Client id at the OIDC provider; its redirect address is `<publicUrl>/api/auth/callback/oidc`.',
    defaultText: 'none',
  }),
  oidcClientSecret: setting({
    schema: z.string().min(1).optional(),
    description: 'Client secret at the OIDC provider.',
    defaultText: 'none',
    isSecret: true,
  }),
  oidcName: setting({
    schema: z.string().min(1).max(60).default('Single sign-on'),
    description: 'Name of the OIDC provider on the sign-in page.',
  }),
} as const satisfies Record<string, Setting>;
