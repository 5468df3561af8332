import type { ExtractedDocument, ExtractFailure, ExtractLimits } from './document.ts';
import type { SourceLabels } from './extract-document.ts';

/** What the main thread sends. */
export interface ExtractJob {
  readonly content: { readonly bytes: Uint8Array<ArrayBuffer> } | { readonly path: string };
  readonly labels: SourceLabels;
  readonly limits: ExtractLimits;
}

/** What comes back, once per job. */
export type ExtractOutcome =
  | { readonly type: 'document'; readonly document: ExtractedDocument }
  | {
      readonly type: 'failed';
      readonly failure: ExtractFailure;
      readonly message: string;
      readonly detail: string;
    };
