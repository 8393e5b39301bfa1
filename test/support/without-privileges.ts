const isRoot = process.getuid?.() === 0;

/** Why a command cannot be made to feel file permissions, or null. */
export const cannotDropPrivileges = isRoot && !Bun.which('setpriv') ? 'skipped: needs setpriv' : null;
if (cannotDropPrivileges) console.log(cannotDropPrivileges);

/** The command as file permissions bind it: root without the powers that pass them over. */
export const withoutPrivileges = (command: readonly string[]): string[] => [
  ...(isRoot ? ['setpriv', '--bounding-set=-all', '--inh-caps=-all'] : []),
  ...command,
];
