/**
 * The index itself: documents cut into passages, found by BM25 over SQLite's FTS5. Runs in a worker thread. Several
 * processes may have the file open: a server reads while the command line writes (WAL).
 */
import Database from 'better-sqlite3';
import type { IndexOperation, IndexOperations } from './index-protocol.ts';
import { listIndexWords, listQueryWords } from './list-index-words.ts';
import { splitText } from './split-text.ts';

/** Another number than the file's, and the file is made anew. */
const schemaVersion = 1;
/** How long a writer waits for another process's. */
const busyTimeoutMs = 10_000;
const queryWordsMax = 40;
/** Passages that are looked at, so that one long document does not hide the others. */
const passagesMax = 80;
const passagesPerDocument = 4;

const schema = `
  create table sources (
    id integer primary key, address text not null unique, indexed_at integer
  ) strict;
  create table documents (
    id integer primary key, source_id integer not null references sources (id) on delete cascade,
    url text not null, title text not null, published_at text,
    fingerprint text not null, content_hash text not null, links text not null,
    -- Two folders of one name have documents of one address; neither may take the other's.
    unique (source_id, url)
  ) strict;
  create table passages (
    id integer primary key, document_id integer not null, position integer not null, text text not null
  ) strict;
  create index passages_by_document on passages (document_id);
  -- Words are cut by us, so the tokenizer only splits at spaces; the text itself is in passages.
  create virtual table passage_words using fts5 (
    title, body, content = '', contentless_delete = 1, tokenize = 'unicode61 remove_diacritics 2'
  );
`;

type Answers = {
  [Operation in IndexOperation]: (
    request: IndexOperations[Operation]['request'],
  ) => IndexOperations[Operation]['answer'];
};

export interface IndexFile {
  readonly answers: Answers;
  close(): void;
}

/** Throws better-sqlite3's errors. */
export function openIndexFile(path: string): IndexFile {
  const db = new Database(path, { timeout: busyTimeoutMs });
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = NORMAL');
  db.pragma('foreign_keys = ON');
  db.transaction(() => prepareSchema(db)).immediate();
  return { answers: createAnswers(db), close: () => db.close() };
}

function prepareSchema(db: Database.Database): void {
  const version = db.pragma('user_version', { simple: true });
  if (version === schemaVersion) return;
  for (const table of ['passage_words', 'passages', 'documents', 'sources']) {
    db.exec(`drop table if exists ${table}`);
  }
  db.exec(schema);
  db.pragma(`user_version = ${schemaVersion}`);
}

function createAnswers(db: Database.Database): Answers {
  const find = createSearch(db);
  const { put, remove, removeSource } = createWrites(db);
  return {
    search: find,
    listSources: () =>
      db
        .prepare<[], IndexOperations['listSources']['answer'][number]>(
          `select address, indexed_at as indexedAt,
             (select count(*) from documents where source_id = sources.id) as documentCount
           from sources order by address`,
        )
        .all(),
    listDocuments: ({ source }) =>
      db
        .prepare<[string], { url: string; fingerprint: string; contentHash: string; links: string }>(
          `select url, fingerprint, content_hash as contentHash, links from documents
           join sources on sources.id = source_id where address = ?`,
        )
        .all(source)
        .map((row) => ({ ...row, links: row.links === '' ? [] : row.links.split('\n') })),
    putDocument: (request) => {
      put(request);
      return null;
    },
    touchDocument: ({ source, url, fingerprint }) => {
      db.prepare(
        `update documents set fingerprint = ?
         where url = ? and source_id = (select id from sources where address = ?)`,
      ).run(fingerprint, url, source);
      return null;
    },
    removeDocument: (request) => {
      remove(request);
      return null;
    },
    finishSource: ({ source, indexedAt }) => {
      db.prepare(
        `insert into sources (address, indexed_at) values (?, ?)
         on conflict (address) do update set indexed_at = excluded.indexed_at`,
      ).run(source, indexedAt);
      return null;
    },
    removeSource: ({ source }) => removeSource(source),
  };
}

interface PassageRow {
  readonly documentId: number;
  readonly url: string;
  readonly title: string;
  readonly publishedAt: string | null;
  readonly position: number;
  readonly text: string;
}

function createSearch(db: Database.Database): Answers['search'] {
  const select = db.prepare<[string, number], PassageRow>(
    `select document_id as documentId, url, documents.title, published_at as publishedAt, position, text
     from (select rowid, bm25(passage_words, 3.0, 1.0) as rank from passage_words
           where passage_words match ? order by rank limit ?) as found
     join passages on passages.id = found.rowid join documents on documents.id = document_id
     order by found.rank`,
  );
  return ({ text, countMax }) => {
    const words = listQueryWords(text).slice(0, queryWordsMax);
    if (words.length === 0) return [];
    // Quoted, a word is only a word to FTS5, whatever is in it.
    const query = words.map((word) => `"${word.replaceAll('"', '""')}"`).join(' OR ');
    const byDocument = Map.groupBy(select.all(query, passagesMax), ({ documentId }) => documentId);
    return [...byDocument.values()].slice(0, countMax).flatMap((rows) => {
      const [best] = rows;
      if (best === undefined) return [];
      const { url, title, publishedAt } = best;
      return [{ url, title, publishedAt, passages: rows.slice(0, passagesPerDocument) }];
    });
  };
}

function createWrites(db: Database.Database) {
  const findDocument = db.prepare<[string, string], { id: number }>(
    `select documents.id from documents join sources on sources.id = source_id
     where address = ? and url = ?`,
  );
  const remove = ({ source, url }: IndexOperations['removeDocument']['request']): void => {
    const id = findDocument.get(source, url)?.id;
    if (id === undefined) return;
    db.prepare(
      'delete from passage_words where rowid in (select id from passages where document_id = ?)',
    ).run(id);
    db.prepare('delete from passages where document_id = ?').run(id);
    db.prepare('delete from documents where id = ?').run(id);
  };
  const put = ({ source, document }: IndexOperations['putDocument']['request']): void => {
    remove({ source, url: document.url });
    db.prepare('insert into sources (address) values (?) on conflict do nothing').run(source);
    const { lastInsertRowid: documentId } = db
      .prepare(
        `insert into documents (source_id, url, title, published_at, fingerprint, content_hash, links)
         values ((select id from sources where address = ?), ?, ?, ?, ?, ?, ?)`,
      )
      .run(
        source,
        document.url,
        document.title,
        document.publishedAt,
        document.fingerprint,
        document.contentHash,
        document.links.join('\n'),
      );
    const addPassage = db.prepare('insert into passages (document_id, position, text) values (?, ?, ?)');
    const addWords = db.prepare('insert into passage_words (rowid, title, body) values (?, ?, ?)');
    const title = listIndexWords(document.title).join(' ');
    for (const [position, text] of splitText(document.text).entries()) {
      const { lastInsertRowid } = addPassage.run(documentId, position, text);
      addWords.run(lastInsertRowid, title, listIndexWords(text).join(' '));
    }
  };
  const removeSource = (source: string): boolean => {
    const urls = db
      .prepare<[string], { url: string }>(
        'select url from documents join sources on sources.id = source_id where address = ?',
      )
      .all(source);
    for (const { url } of urls) remove({ source, url });
    return db.prepare('delete from sources where address = ?').run(source).changes > 0;
  };
  return {
    // One transaction each: a command that is killed leaves whole documents.
    put: (request: IndexOperations['putDocument']['request']) => db.transaction(put).immediate(request),
    remove: (request: IndexOperations['removeDocument']['request']) =>
      db.transaction(remove).immediate(request),
    removeSource: (source: string) => db.transaction(removeSource).immediate(source),
  };
}
