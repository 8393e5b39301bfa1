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

/** Executes this program anew in the same process, with this environment. Does not return, unless the platform has no such thing. */
export function executeAgain(environment: Readonly<Record<string, string>>): void {
  if (!process.execve || process.platform === 'win32') return;
  process.execve(process.execPath, [...ownCommand(), ...process.argv.slice(2)], { ...environment, [MARK]: String(process.pid) });
}

/** What starts this program: its arguments follow. */
export function ownCommand(): string[] {
  // The first argument after the program is the script, which a compiled executable carries inside.
  const script = Bun.main.startsWith('/$bunfs/') ? [] : [...process.execArgv, Bun.main];
  return [process.execPath, ...script];
}
