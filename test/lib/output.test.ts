import { expect, test } from 'bun:test';
import { join } from 'node:path';

/** A program that has `stdout` and `stderr`, and goes on when it is told to. */
function run(body: string) {
  const program = `
    import { stderr, stdout } from '${join(import.meta.dir, '../../src/lib/output.ts')}';
    const told = () => new Promise(resolve => process.stdin.once('data', resolve));
    ${body}
    await Promise.all([stdout.end(), stderr.end()]);
    process.exit(0);`;
  return Bun.spawn([process.execPath, '-e', program], { stdin: 'pipe', stdout: 'pipe', stderr: 'pipe' });
}

test('who reads later than it is written gets all of it, in order', async () => {
  const child = run(`
    for (let line = 0; line < 2000; line++) stdout.say(\`\${line} \${'.'.repeat(1000)}\\n\`);
    await stderr.write('written');`);
  const reader = child.stderr.getReader();
  expect(new TextDecoder().decode((await reader.read()).value)).toBe('written');
  const lines = (await child.stdout.text()).split('\n');
  expect(lines.map(line => line.split(' ')[0])).toEqual([...Array(2000).keys(), ''].map(String));
  expect(await child.exited).toBe(0);
});

test('who stops reading does not end the program: it is told why', async () => {
  const child = run(`
    stdout.say('first\\n');
    await told();
    stdout.say('nobody gets it\\n');
    await stdout.write('nor this\\n').catch(error => stderr.write(error.code));`);
  const reader = child.stdout.getReader();
  await reader.read();
  await reader.cancel();
  child.stdin.write('go on');
  child.stdin.flush();
  expect(await child.stderr.text()).toBe('EPIPE');
  expect(await child.exited).toBe(0);
});

test('who stops reading while there is more to come does not end the program either', async () => {
  const child = run(`
    const refused = Promise.all([1, 2, 3].map(() => stdout.write('x'.repeat(1_000_000)))).catch(error => error.code);
    await stderr.write(String(await refused));`);
  const reader = child.stdout.getReader();
  await reader.read();
  await reader.cancel();
  expect(await child.stderr.text()).toBe('EPIPE');
  expect(await child.exited).toBe(0);
});

test('a pipe is no terminal', async () => {
  const child = run('stdout.say(String(stdout.isTerminal));');
  expect(await child.stdout.text()).toBe('false');
});
