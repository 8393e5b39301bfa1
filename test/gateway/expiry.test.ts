import { afterEach, expect, test } from 'bun:test';
import { defineEntity, type Row } from '../../src/entities/entity.ts';
import { endOfRow, expiring } from '../../src/entities/expiring.ts';
import { type Gateway, openGateway } from '../../src/gateway/gateway.ts';
import { record, string } from '../../src/schema/field.ts';
import { uuid } from '../../src/schema/typedefs.ts';
import { openStore } from '../../src/store/memory.ts';
import type { Change } from '../../src/store/store.ts';
import { handClock } from '../support/clock.ts';
import { recordingLog } from '../support/recording-log.ts';

const pass = defineEntity({
  name: 'passes',
  schema: record({ id: uuid, name: string(), ...expiring }, { required: true, ttl: true, transformations: [endOfRow] }),
});

let gateway: Gateway | undefined;
afterEach(async () => gateway?.close());

const seconds = () => Date.now() / 1000;
const rowOf = (id: string, expires_at: number | null): Row => ({ id, expires_at });

async function open(rows: readonly Row[], commit = async (_: readonly Change[]) => {}) {
  const { clock, pass: wait } = handClock();
  const { log, said } = recordingLog();
  const persistence = {
    load: async () => new Map([['passes', rows]]),
    commit,
    watch: () => () => {},
    reachable: () => true,
    close: async () => {},
  };
  const store = await openStore([pass], persistence);
  gateway = await openGateway({ store, plugins: [], log, prefix: '/', clock });
  return { gateway, wait, said, ids: () => [...store.all(pass)].map(({ id }) => id).sort() };
}

test('rows that ended while nobody looked go at the start', async () => {
  const { wait, ids } = await open([rowOf('over', seconds() - 1), rowOf('later', seconds() + 1000), rowOf('ever', null)]);
  await wait(0);
  expect(ids()).toEqual(['ever', 'later']);
});

test('rows that are written with an end go too, those whose end was taken away stay', async () => {
  const { gateway, wait, ids } = await open([]);
  await gateway.write(['a', 'b'].map(id => ({ kind: 'insert', entity: pass, row: rowOf(id, seconds() - 1) })));
  await gateway.write([{ kind: 'replace', entity: pass, row: rowOf('b', null) }]);
  await wait(0);
  expect(ids()).toEqual(['b']);
});

test('what cannot be removed yet is removed later', async () => {
  let broken = true;
  const { wait, ids, said } = await open([rowOf('over', seconds() - 1)], async () => {
    if (broken) throw new Error('disk full');
  });
  await wait(0);
  expect([ids(), said('error')]).toEqual([['over'], ['rows whose time is over cannot be removed yet']]);
  broken = false;
  await wait(60);
  expect(ids()).toEqual([]);
});
