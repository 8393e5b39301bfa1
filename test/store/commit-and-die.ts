import { service } from '../../src/entities/service.ts';
import { openStore } from '../../src/store/memory.ts';
import { openSqlite } from '../../src/store/sqlite.ts';
import { entities, insert, serviceRow } from './rows.ts';

const store = await openStore(entities, openSqlite(process.argv[2] ?? '', entities));
await store.commit(store.stage([insert(service, serviceRow(1, { name: 'survivor' }))]));
process.stdout.write('committed\n', () => process.kill(process.pid, 'SIGKILL'));
