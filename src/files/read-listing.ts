import { walkXml } from '../extract/walk-xml.ts';
import type { StoredObject } from './file-storage.ts';

export interface Listing {
  readonly objects: readonly StoredObject[];
  /** Undefined on the last page. */
  readonly nextToken: string | undefined;
}

/** Reads an answer of S3's ListObjectsV2. */
export function readListing(xml: string): Listing {
  const objects: StoredObject[] = [];
  let nextToken: string | undefined;
  let key = '';
  let text = '';
  walkXml(xml, {
    onOpen: () => {
      text = '';
    },
    onText: (part) => {
      text += part;
    },
    onClose: (name) => {
      if (name === 'Key') key = text;
      else if (name === 'LastModified') objects.push({ key, storedAt: Date.parse(text) });
      else if (name === 'NextContinuationToken') nextToken = text;
      text = '';
    },
  });
  return { objects, nextToken };
}
