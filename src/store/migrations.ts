import { quote, type SqlValue, type Table } from './tables.ts';

/** What migrations need of a database. */
interface Sql {
  run(sql: string, values: SqlValue[]): unknown;
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
  for (const migration of MIGRATIONS.slice(version)) database.run(migration, []);
  for (const table of tables) addTable(database, table);
  database.run(`PRAGMA user_version = ${MIGRATIONS.length}`, []);
}

function addTable(database: Sql, { name, columns, create, indexes }: Table): void {
  database.run(create, []);
  const present = new Set(
    database
      .query(`SELECT name FROM pragma_table_info(${quote(name)})`)
      .all()
      .map(row => (row as { name: string }).name),
  );
  for (const column of columns) {
    if (present.has(column.name)) continue;
    database.run(`ALTER TABLE ${quote(name)} ADD COLUMN ${column.definition}`, []);
    if (column.default !== null) database.run(`UPDATE ${quote(name)} SET ${quote(column.name)} = ?`, [column.default]);
  }
  const inPlace = indexesOf(database, name);
  for (const [index, sql] of inPlace) {
    if (!indexes.some(declared => declared.name === index && declared.create === sql)) database.run(`DROP INDEX ${quote(index)}`, []);
  }
  for (const index of indexes) if (inPlace.get(index.name) !== index.create) database.run(index.create, []);
}

/** The SQL of a table's indexes by their names, but for those that SQLite made for itself. */
function indexesOf(database: Sql, table: string): ReadonlyMap<string, string> {
  const rows = database.query("SELECT name, tbl_name, sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL").all();
  const indexes = rows as { readonly name: string; readonly tbl_name: string; readonly sql: string }[];
  return new Map(indexes.filter(({ tbl_name }) => tbl_name === table).map(({ name, sql }) => [name, sql]));
}

function pragma(database: Sql, name: string): number {
  const [row] = database.query(`PRAGMA ${name}`).all() as Record<string, number>[];
  return row?.[name] ?? 0;
}
