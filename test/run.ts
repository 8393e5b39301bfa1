import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

// Runs every test with Bun's own runner, then says in one line how many passed and failed.
// Whatever the tests leave in temporary folders goes with this one.
const TMPDIR = mkdtempSync(join(tmpdir(), 'sluice-tests-'));
// Tests that wait for nothing have no time of their own: a busy machine takes longer over them than Bun's five seconds.
const runner = Bun.spawn([process.execPath, 'test', '--timeout=30000', 'test', ...process.argv.slice(2)], {
  env: { ...process.env, TMPDIR },
  stdout: 'inherit',
  stderr: 'pipe',
});

const decoder = new TextDecoder();
let summary = '';
for await (const chunk of runner.stderr) {
  process.stderr.write(chunk);
  // The counts are the last thing it prints.
  summary = (summary + decoder.decode(chunk, { stream: true })).slice(-2000);
}
const exitCode = await runner.exited;
rmSync(TMPDIR, { recursive: true, force: true });

const count = (what: string) => Number(new RegExp(`^\\s*(\\d+) ${what}s?$`, 'm').exec(Bun.stripANSI(summary))?.[1] ?? 0);
const skipped = count('skip') + count('todo');
console.log(`${count('pass')} passed, ${count('fail') + count('error')} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exit(exitCode);
