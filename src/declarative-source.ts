import { resolve } from 'node:path';
import { type Configuration, loadDeclarative } from './configuration.ts';
import type { Log } from './lib/log.ts';
import { tellSystemd } from './lib/systemd.ts';
import { createTurns } from './lib/turns.ts';
import { readText } from './read-settings.ts';
import type { Settings } from './settings.ts';
import type { DeclarativeText } from './store/declarative.ts';

/** What Kong reports while nothing was loaded. */
const EMPTY_HASH = '0'.repeat(32);

/** The declarative text that is served where there is no database. */
export interface DeclarativeSource {
  /** In hexadecimal. */
  hash(): string;
  /** Nothing was loaded yet. */
  isEmpty(): boolean;
  isServed(text: string): boolean;
  load(source: DeclarativeText): Promise<void>;
  /** Loads the file of the settings, when they name one. */
  loadFile(): Promise<void>;
  /** Loads it again; a file that is no configuration is logged, and the old one stays. */
  reload(): Promise<void>;
}

/** Without a database, the configuration is what was loaded last. */
export function declarativeSource(configuration: Configuration, { declarative_config, prefix }: Settings, log: Log): DeclarativeSource {
  let hash = EMPTY_HASH;
  const inTurn = createTurns();
  const load = (source: DeclarativeText) =>
    inTurn(async () => {
      await loadDeclarative(configuration, source, 'replace');
      hash = hashOf(source.text);
    });
  const loadFile = async () => {
    if (declarative_config === null) return;
    await load({ text: readText(resolve(prefix, declarative_config)), name: declarative_config, environment: process.env });
  };
  const reload = async () => {
    tellSystemd('RELOADING=1', log);
    try {
      await loadFile();
      log.notice('configuration loaded again', { file: declarative_config });
    } catch (error) {
      log.error('the configuration before it still serves', { error: (error as Error).message });
    }
    tellSystemd('READY=1', log);
  };
  return { hash: () => hash, isEmpty: () => hash === EMPTY_HASH, isServed: text => hash === hashOf(text), load, loadFile, reload };
}

/** As Kong hashes what it has loaded. */
const hashOf = (text: string) => new Bun.CryptoHasher('md5').update(text).digest('hex');
