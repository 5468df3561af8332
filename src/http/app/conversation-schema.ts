/** Conversations on the wire. */
import { z } from 'zod';
import type { Conversation, ConversationSummary } from '../../conversations/conversations.ts';
import { encodeTime } from '../encode-time.ts';
import { isDeeper } from './is-deeper.ts';

const titleField = z.string().trim().min(1, 'must not be empty').max(200, 'may have at most 200 characters');

/** Objects and lists within each other. */
const contentDepthMax = 100;

/** Kept as the text of a JSON object; what stands in it is the web app's business. */
const contentField = z
  .record(z.string(), z.unknown())
  .refine(
    (content) => !isDeeper(content, contentDepthMax),
    `is nested more than ${contentDepthMax} levels deep`,
  )
  .transform((content) => JSON.stringify(content));

export const newConversationSchema = z.object({ title: titleField, content: contentField });

export const conversationChangeSchema = z
  .object({
    title: titleField.optional(),
    content: contentField.optional(),
    revision: z.int().min(1).optional(),
  })
  .refine(({ title, content }) => title !== undefined || content !== undefined, {
    message: 'expected at least one of title, content',
  });

export const pageQuerySchema = z.object({
  limit: z.int().min(1).max(100).default(50),
  cursor: z.string().max(500).optional(),
  search: z.string().max(200, 'may have at most 200 characters').optional(),
});

export function encodeSummary(conversation: ConversationSummary) {
  return {
    id: conversation.id,
    title: conversation.title,
    revision: conversation.revision,
    size_bytes: conversation.sizeBytes,
    share_id: conversation.shareId,
    created_at: encodeTime(conversation.createdAt),
    updated_at: encodeTime(conversation.updatedAt),
  };
}

export function encodeConversation(conversation: Conversation) {
  return { ...encodeSummary(conversation), content: readContent(conversation) };
}

/** The file that a person takes away, and may bring to another server. */
export function encodeExport(conversation: Conversation) {
  return {
    format: 'perigee-conversation',
    version: 1,
    title: conversation.title,
    created_at: encodeTime(conversation.createdAt),
    updated_at: encodeTime(conversation.updatedAt),
    content: readContent(conversation),
  };
}

/** What strangers with the link see: nothing of the account. */
export function encodeShared(conversation: Conversation) {
  return {
    title: conversation.title,
    updated_at: encodeTime(conversation.updatedAt),
    content: readContent(conversation),
  };
}

function readContent({ content }: Conversation): unknown {
  return JSON.parse(content);
}
