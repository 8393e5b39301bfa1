import { openSqlite } from '../../src/store/sqlite.ts';
import { entities } from './rows.ts';

try {
  await openSqlite(process.argv[2] ?? '', entities).close();
  console.log('it was opened');
} catch (error) {
  console.log((error as Error).message);
}
