import { executeAsUsual } from './lib/execute-again.ts';

const args = process.argv.slice(2);
const [command = 'start'] = args;
// Nothing is loaded before: a gateway that starts runs this file twice.
if (command === 'start' || command.startsWith('-')) executeAsUsual();
const { runCommandLine } = await import('./cli.ts');
const { stdout, stderr } = await import('./lib/output.ts');

const exitCode = await runCommandLine(args);
// Once what was printed is out: idle connections must not keep the process, and neither must somebody who reads no further.
setTimeout(() => process.exit(exitCode), 1000);
await Promise.all([stdout.end(), stderr.end()]);
process.exit(exitCode);
