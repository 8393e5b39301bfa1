import { runCommandLine } from './cli.ts';

// Whoever reads the output may stop reading: that must not end the gateway.
process.stdout.on('error', () => {});
const exitCode = await runCommandLine(process.argv.slice(2));
// Once what was printed is out: idle connections must not keep the process.
process.stdout.write('', () => process.exit(exitCode));
