import { quote, type SqlValue, type Table } from './tables.ts';

/** What migrations need of a database. */
interface Sql {
  run(sql: string, values: SqlValue[]): unknown;
  query(sql: string): { all(): unknown[] };
}

/** Marks a SQLite file as ours: "slui". */
const APPLICATION_ID = 0x736c7569;

/**
 * What each version did to the file beyond new tables and columns, which are added by themselves. A file's
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
  for (const index of indexes) database.run(index, []);
}

function pragma(database: Sql, name: string): number {
  const [row] = database.query(`PRAGMA ${name}`).all() as Record<string, number>[];
  return row?.[name] ?? 0;
}
