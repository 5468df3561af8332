import type { Migration } from './migration.ts';

/** What a conversation is searched by; null in rows that were not saved since, whose own text is searched instead. */
export const conversationSearch: Migration = {
  id: '0012-conversation-search',
  statements: () => [
    'alter table conversations add column title_folded text',
    'alter table conversations add column text_folded text',
  ],
};
