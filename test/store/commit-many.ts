import { service } from '../../src/entities/service.ts';
import { openStore } from '../../src/store/memory.ts';
import { untilUpToDate } from '../../src/store/outdated.ts';
import { openSqlite } from '../../src/store/sqlite.ts';
import { entities, insert, serviceRow } from './rows.ts';

const [path = '', number = ''] = process.argv.slice(2);
const store = await openStore(entities, openSqlite(path, entities));
for (let index = 0; index < 10; index++) {
  await untilUpToDate(() => store.commit(store.stage([insert(service, serviceRow(Number(number) * 100 + index))])));
}
await store.close();
