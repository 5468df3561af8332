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
    flag: { scope: 'rare', value: 'url' },
  }),
  trustedProxies: setting({
    schema: textList.optional(),
    description:
      'Addresses of reverse proxies whose `X-Forwarded-For` is believed, separated by commas (networks as `10.0.0.0/8`).',
    defaultText: 'none',
    flag: { scope: 'rare', value: 'addresses' },
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
    flag: { scope: 'rare', value: 'usd' },
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
      'Mail server for new passwords and invites, e.g. `smtps://user:password@mail.example.org:465`, or `smtp://…:587` for STARTTLS. A password is sent encrypted only, unless the address ends in `?requireTLS=false`; the certificate must be valid (`NODE_EXTRA_CA_CERTS` for one of your own).',
    defaultText: 'none; an administrator hands links over',
    isSecret: true,
  }),
  smtpFrom: setting({
    schema: z.email().optional(),
    description: 'Sender of those mails.',
    defaultText: '`perigee@` and the host of `public_url`',
    flag: { scope: 'rare', value: 'address' },
  }),
  oidcIssuer: setting({
    schema: z.url({ protocol: /^https?$/ }).optional(),
    description:
      'OIDC provider that people may sign in with; needs `oidc_client_id` and `oidc_client_secret`.',
    defaultText: 'none',
    flag: { scope: 'rare', value: 'url' },
  }),
  oidcClientId: setting({
    schema: z.string().min(1).optional(),
    description:
      'Client id at the OIDC provider; its redirect address is `<public_url>/api/auth/callback/oidc`.',
    defaultText: 'none',
    flag: { scope: 'rare', value: 'id' },
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
    flag: { scope: 'rare', value: 'text' },
  }),
} as const satisfies Record<string, Setting>;
