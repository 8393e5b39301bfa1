import { quote, type SqlValue, type Table } from './tables.ts';

/** What migrations need of a database. */
interface Sql {
  run(sql: string, ...values: SqlValue[][]): unknown;
  query(sql: string): { all(): unknown[] };
}

/** Marks a SQLite file as ours: "slui". */
const APPLICATION_ID = 0x736c7569;

/**
 * What each version did to the file beyond new tables, columns and indexes, which come by themselves. A file's
 * `user_version` says how many of these it has had; entries are never changed or taken away.
 */
const MIGRATIONS: readonly string[] = [`PRAGMA application_id = ${APPLICATION_ID}`];

/** Brings a file, fresh or from an earlier version, to this one. Throws an Error when it cannot be ours. Runs within a transaction. */
export function migrate(database: Sql, tables: readonly Table[]): void {
  const version = pragma(database, 'user_version');
  if (version > MIGRATIONS.length) {
    throw new Error(`a newer version of sluice made it (schema version ${version}, this one knows ${MIGRATIONS.length})`);
  }
  if (pragma(database, 'application_id') !== APPLICATION_ID && database.query('SELECT 1 FROM sqlite_schema').all().length > 0) {
    throw new Error('it belongs to another program');
  }
  for (const migration of MIGRATIONS.slice(version)) database.run(migration);
  const there = columnsOf(database);
  const indexes = indexesOf(database);
  for (const table of tables) {
    const columns = there.get(table.name);
    if (columns === undefined) database.run(table.create);
    else addColumns(database, table, columns);
    addIndexes(database, table, indexes.get(table.name) ?? new Map());
  }
  if (version < MIGRATIONS.length) database.run(`PRAGMA user_version = ${MIGRATIONS.length}`);
}

function addColumns(database: Sql, { name, columns }: Table, there: ReadonlySet<string>): void {
  for (const column of columns) {
    if (there.has(column.name)) continue;
    database.run(`ALTER TABLE ${quote(name)} ADD COLUMN ${column.definition}`);
    if (column.default !== null) database.run(`UPDATE ${quote(name)} SET ${quote(column.name)} = ?`, [column.default]);
  }
}

function addIndexes(database: Sql, { indexes }: Table, there: ReadonlyMap<string, string>): void {
  for (const [name, sql] of there) {
    if (!indexes.some(declared => declared.name === name && declared.create === sql)) database.run(`DROP INDEX ${quote(name)}`);
  }
  for (const index of indexes) if (there.get(index.name) !== index.create) database.run(index.create);
}

/** The names of the columns, by table. */
function columnsOf(database: Sql): ReadonlyMap<string, ReadonlySet<string>> {
  const rows = database.query(
    "SELECT t.name AS tbl, c.name AS col FROM sqlite_schema t, pragma_table_info(t.name) c WHERE t.type = 'table'",
  );
  const tables = Map.groupBy(rows.all() as { readonly tbl: string; readonly col: string }[], ({ tbl }) => tbl);
  return new Map([...tables].map(([name, columns]) => [name, new Set(columns.map(({ col }) => col))]));
}

/** The SQL of indexes by their names, by table, but for those that SQLite made for itself. */
function indexesOf(database: Sql): ReadonlyMap<string, ReadonlyMap<string, string>> {
  const rows = database.query("SELECT name, tbl_name, sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL").all();
  const tables = Map.groupBy(
    rows as { readonly name: string; readonly tbl_name: string; readonly sql: string }[],
    ({ tbl_name }) => tbl_name,
  );
  return new Map([...tables].map(([name, indexes]) => [name, new Map(indexes.map(({ name, sql }) => [name, sql]))]));
}

function pragma(database: Sql, name: string): number {
  const [row] = database.query(`PRAGMA ${name}`).all() as Record<string, number>[];
  return row?.[name] ?? 0;
}
