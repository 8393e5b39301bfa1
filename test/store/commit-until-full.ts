import type { EntityError } from '../../src/entities/entity-error.ts';
import { service } from '../../src/entities/service.ts';
import { openStore } from '../../src/store/memory.ts';
import { openSqlite } from '../../src/store/sqlite.ts';
import { entities, id, insert, serviceRow } from './rows.ts';

const store = await openStore(entities, openSqlite(process.argv[2] ?? '', entities));
for (let number = 1; ; number++) {
  try {
    await store.commit(store.stage([insert(service, serviceRow(number, { path: `/${'x'.repeat(20_000)}` }))]));
  } catch (error) {
    const { name, message } = error as EntityError;
    console.log(
      JSON.stringify({
        name,
        message,
        visible: store.find(service, id(number)) !== undefined,
        works: store.find(service, id(1)) !== undefined,
      }),
    );
    break;
  }
}
