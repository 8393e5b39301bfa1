import { workInBatches } from './scheduling.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Set to the process's own id once it runs in its new environment. Children inherit it, but have another id. */
const MARK = 'SLUICE_EXECUTED_AS';

/**
 * Whether this program was executed again with `executeAgain`. To be asked once, before the environment is read: it
 * takes the mark away.
 */
export function wasExecutedAgain(): boolean {
  const { [MARK]: mark } = process.env;
  delete process.env[MARK];
  return mark === String(process.pid);
}

/**
 * What Bun reads from the environment before any code runs, as a gateway wants it that has no settings of its own: its limit of
 * `fetch` at once, streams included, is 256 otherwise, and its heap, all of which is collected too seldom, 9 MB larger under load.
 * What memory a body took is kept for the next one for two seconds: given back at once, it costs a twelfth of a request of 1 MB.
 */
export const USUAL_ENVIRONMENT = {
  BUN_CONFIG_MAX_HTTP_REQUESTS: '65535',
  BUN_JSC_minEdenToOldGenerationRatio: '0.45',
  MIMALLOC_PURGE_DELAY: '2000',
  NODE_USE_SYSTEM_CA: '1',
};

/** Executes this program anew in the same process, with threads that work in batches, unless its environment is the usual one already. */
export function executeAsUsual(): void {
  const environment = { ...process.env, ...USUAL_ENVIRONMENT };
  if (isCurrent(environment)) return;
  workInBatches();
  execute(environment);
}

/** The same, once, with an environment that settings ask for. */
export function executeAgain(environment: Environment): void {
  if (!isCurrent(environment)) execute({ ...environment, [MARK]: String(process.pid) });
}

/** Does not return, unless the platform has no such thing. */
function execute(environment: Environment): void {
  if (!process.execve || process.platform === 'win32') return;
  const said = Object.entries(environment).filter((entry): entry is [string, string] => entry[1] !== undefined);
  process.execve(process.execPath, [...ownCommand(), ...process.argv.slice(2)], Object.fromEntries(said));
}

function isCurrent(environment: Environment): boolean {
  const names = [...Object.keys(environment), ...Object.keys(process.env)];
  return names.every(name => environment[name] === process.env[name]);
}

/** What starts this program: its arguments follow. */
export function ownCommand(): string[] {
  // The first argument after the program is the script, which a compiled executable carries inside.
  const script = Bun.main.startsWith('/$bunfs/') ? [] : [...process.execArgv, Bun.main];
  return [process.execPath, ...script];
}
