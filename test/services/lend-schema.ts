/**
 * Migrated, empty PostgreSQL schemas for the tests of one file, one after the other: a hundred statements of DDL and the
 * removal of their tables take half a second, to empty the tables again takes a few milliseconds.
 */
import { afterAll, onTestFinished } from 'vitest';
import { openStore } from '../../src/store/open-store.ts';
import { createSchema, runOnServer, type TestSchema } from './create-schema.ts';

interface LentSchema extends TestSchema {
  /** SQL that makes it what it was right after its migration. */
  readonly resetSql: string;
}

const all: LentSchema[] = [];
const idle: LentSchema[] = [];

// Registered for the file that imports this module: every file has an instance of its own.
afterAll(async () => {
  await Promise.all(all.map(async (schema) => await schema.drop()));
});

/** The address of a schema that belongs to the running test. One whose test failed is never lent again. */
export async function lendSchema(serverUrl: string): Promise<string> {
  const schema = idle.pop() ?? (await createMigrated(serverUrl));
  await runOnServer(schema.url, async (client) => await client.query(schema.resetSql));
  onTestFinished(({ task }) => {
    if (task.result?.state === 'pass') idle.push(schema);
  });
  return schema.url;
}

async function createMigrated(serverUrl: string): Promise<LentSchema> {
  const schema = await createSchema(serverUrl);
  const store = await openStore({ dataDir: '', databaseUrl: schema.url });
  await store.close();
  const lent = { ...schema, resetSql: await writeReset(schema) };
  all.push(lent);
  return lent;
}

/** Rows are deleted and the migrations' own put back, past triggers that keep rows from being deleted. */
async function writeReset({ name, url }: TestSchema): Promise<string> {
  return await runOnServer(url, async (client) => {
    const read = async (sql: string): Promise<readonly string[]> =>
      (await client.query<{ text: string }>(sql)).rows.map(({ text }) => text);
    const tables = await read(
      `select quote_ident(tablename) as text from pg_tables where schemaname = '${name}'`,
    );
    const rows: string[] = [];
    for (const table of tables) {
      const [json = ''] = await read(`select json_agg(t)::text as text from ${table} t having count(*) > 0`);
      if (json !== '')
        rows.push(
          `insert into ${table} select * from json_populate_recordset(null::${table}, ${client.escapeLiteral(json)})`,
        );
    }
    const counters = await read(
      `select format('select setval(%L, %s, %L)', quote_ident(sequencename), coalesce(last_value, 1), last_value is not null)
         as text from pg_sequences where schemaname = '${name}'`,
    );
    return [
      // Switches triggers and foreign keys off, for this connection; only a superuser may.
      'set session_replication_role = replica',
      ...tables.map((table) => `delete from ${table}`),
      ...rows,
      ...counters,
    ].join(';\n');
  });
}
