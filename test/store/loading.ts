import { readDeclarative } from '../../src/store/declarative.ts';
import { openStore } from '../../src/store/memory.ts';
import type { Store } from '../../src/store/store.ts';
import { entities } from './rows.ts';

/** A declarative file of today's format. */
export const file = (body: string) => `_format_version: "3.0"\n${body}`;

export const environment = { DECK_HOST: 'api.test', DECK_PORT: '8080', DECK_LINES: 'one\n- two: "three"', HOME: '/root' };

/** Loads a file and says what was written. */
export async function load(store: Store, text: string, mode: 'merge' | 'replace' = 'replace') {
  const { writes } = await readDeclarative({ text, name: 'gateway.yaml', environment }, store, mode);
  await store.commit(store.stage(writes));
  return writes.map(({ kind, entity }) => `${kind} ${entity.name}`);
}

export async function loaded(text: string): Promise<Store> {
  const store = await openStore(entities);
  await load(store, text);
  return store;
}
