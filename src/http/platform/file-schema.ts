/** Uploaded files on the wire (Moonshot's and OpenAI's files endpoints). */
import { z } from 'zod';
import type { FilePage, FileRecord } from '../../files/file-records.ts';

export const fileSchema = z
  .object({
    id: z.string(),
    object: z.literal('file'),
    bytes: z.int(),
    created_at: z.int().describe('Seconds since 1970.'),
    filename: z.string(),
    purpose: z.string(),
    status: z.enum(['ready', 'error']),
    status_details: z.string().describe('Why there is no text; empty when there is.'),
  })
  .meta({ id: 'File' });

export const fileListSchema = z.object({
  object: z.literal('list'),
  data: z.array(fileSchema),
  first_id: z.string().nullable(),
  last_id: z.string().nullable(),
  has_more: z.boolean(),
});

export const deletedFileSchema = z.object({
  id: z.string(),
  object: z.literal('file'),
  deleted: z.literal(true),
});

export const fileParamsSchema = z.object({ id: z.string() });

export const fileFormSchema = z.object({
  file: z.string().meta({ format: 'binary' }),
  purpose: z.literal('file-extract'),
});

export const fileContentSchema = z
  .string()
  .describe('A JSON object with `content`, `file_type`, `filename`, `title` and `type`, as text.');

/** Larger than OpenAI's own 10,000 would never be needed: an account's files are fewer. */
const limitMax = 10_000;

export const fileQuerySchema = z.object({
  after: z.string().optional(),
  limit: z.int().min(1).max(limitMax).default(1_000),
  order: z.enum(['asc', 'desc']).default('desc'),
  purpose: z.string().optional(),
});

export function encodeFile(file: FileRecord): z.input<typeof fileSchema> {
  return {
    id: file.id,
    object: 'file',
    bytes: file.sizeBytes,
    created_at: Math.floor(file.createdAt / 1_000),
    filename: file.filename,
    purpose: file.purpose,
    status: file.status,
    status_details: file.statusDetails ?? '',
  };
}

export function encodeFileList({ files, hasMore }: FilePage): z.input<typeof fileListSchema> {
  return {
    object: 'list',
    data: files.map(encodeFile),
    first_id: files[0]?.id ?? null,
    last_id: files.at(-1)?.id ?? null,
    has_more: hasMore,
  };
}
