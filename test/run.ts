/** Runs every test with Bun's own runner, then says in one line how many passed and failed. */
const runner = Bun.spawn([process.execPath, 'test', 'test', ...process.argv.slice(2)], { stdout: 'inherit', stderr: 'pipe' });

const decoder = new TextDecoder();
let summary = '';
for await (const chunk of runner.stderr) {
  process.stderr.write(chunk);
  // The counts are the last thing it prints.
  summary = (summary + decoder.decode(chunk, { stream: true })).slice(-2000);
}
const exitCode = await runner.exited;

const count = (what: string) => Number(new RegExp(`^\\s*(\\d+) ${what}s?$`, 'm').exec(Bun.stripANSI(summary))?.[1] ?? 0);
const skipped = count('skip') + count('todo');
console.log(`${count('pass')} passed, ${count('fail') + count('error')} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exit(exitCode);

export {};
