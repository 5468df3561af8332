import type { SourceList } from './write-sources.ts';

/** A search that was made for an account: what a search id stands for. */
export interface StoredSearch extends SourceList {
  /** 32 hex digits; says nothing about what was searched for. */
  readonly searchId: string;
  /** Of the text that takes the search's place in a prompt, as the model's own tokenizer counts it. */
  readonly tokens: number;
}
