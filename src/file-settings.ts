/** Settings of uploaded files; part of the table in `settings.ts`. */
import { z } from 'zod';
import { integer, setting } from './setting.ts';

const gigabyte = 1_073_741_824;

export const fileSettings = {
  fileBytesMax: setting({
    schema: integer(1, 5 * gigabyte).prefault(104_857_600),
    description: 'Largest uploaded file, in bytes.',
    flag: { scope: 'rare', value: 'bytes' },
  }),
  filesPerAccountMax: setting({
    schema: integer(0, 1_000_000).prefault(1_000),
    description: 'How many uploaded files an account may have.',
    flag: { scope: 'rare', value: 'number' },
  }),
  fileBytesPerAccountMax: setting({
    schema: integer(0, 100_000 * gigabyte).prefault(10 * gigabyte),
    description: 'How many bytes of uploaded files an account may have.',
    flag: { scope: 'rare', value: 'bytes' },
  }),
  filesS3Url: setting({
    schema: z.url({ protocol: /^https?$/ }).optional(),
    description:
      'S3-compatible storage for uploaded files: endpoint, bucket and perhaps a prefix, as in `https://s3.eu-central-1.amazonaws.com/my-bucket/perigee` (docs/files.md).',
    defaultText: 'the folder `files` in the data folder',
    flag: { scope: 'rare', value: 'url' },
  }),
  filesS3Region: setting({
    schema: z.string().min(1).default('us-east-1'),
    description: 'Region that requests to that storage are signed for.',
    flag: { scope: 'rare', value: 'text' },
  }),
  filesS3AccessKeyId: setting({
    schema: z.string().min(1).optional(),
    description: 'Access key of that storage.',
    defaultText: 'none',
    isSecret: true,
  }),
  filesS3SecretAccessKey: setting({
    schema: z.string().min(1).optional(),
    description: 'Secret of that access key.',
    defaultText: 'none',
    isSecret: true,
  }),
};
