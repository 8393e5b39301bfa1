import { describe, expect, setDefaultTimeout, test } from 'bun:test';
import { newFolder, type RunningGateway, runExecutable, startGateway } from '../support/executable.ts';

setDefaultTimeout(30_000);

const names = async (gateway: RunningGateway) => {
  const { body } = await gateway.request('GET', '/services');
  return (body as { data: { name: string }[] }).data.map(({ name }) => name).sort();
};
const service = (name: string) => ({ name, url: 'http://localhost:32000' });

test('what was written is there after a restart, ids and times included', async () => {
  const folder = newFolder();
  const first = await startGateway({ folder });
  const { body: written } = await first.request('POST', '/services', service('kept'));
  expect(await first.stop()).toBe(0);
  await using second = await startGateway({ folder });
  expect((await second.request('GET', '/services/kept')).body).toEqual(written);
});

describe('a second gateway on the same database', () => {
  test('sees what the first one writes, and the other way round', async () => {
    const folder = newFolder();
    await using first = await startGateway({ folder });
    await using second = await startGateway({ folder });
    await first.request('POST', '/services', service('by-the-first'));
    await second.request('POST', '/services', service('by-the-second'));
    for (const gateway of [first, second]) {
      while ((await names(gateway)).length < 2) await Bun.sleep(20);
      expect(await names(gateway)).toEqual(['by-the-first', 'by-the-second']);
    }
  });

  test('writes at the same time corrupt nothing', async () => {
    const folder = newFolder();
    const [first, second] = await Promise.all([startGateway({ folder }), startGateway({ folder })]);
    const statuses = await Promise.all(
      [first, second].flatMap((gateway, who) =>
        Array.from(
          { length: 30 },
          async (_, number) => (await gateway.request('POST', '/services', service(`by-${who}-${number}`))).status,
        ),
      ),
    );
    expect(new Set(statuses)).toEqual(new Set([201]));
    await Promise.all([first.stop(), second.stop()]);
    await using again = await startGateway({ folder });
    expect(await names(again)).toHaveLength(60);
  });
});

test('export and import carry a configuration from one database to another', async () => {
  const [from, to] = [newFolder(), newFolder()];
  const gateway = await startGateway({ folder: from });
  await gateway.request('POST', '/services', service('carried'));
  await gateway.request('POST', '/services/carried/routes', { name: 'way', paths: ['/way'] });
  await gateway.stop();
  expect(await runExecutable(['export', 'gateway.yaml'], { folder: from })).toMatchObject({ exitCode: 0, stderr: '' });
  const imported = await runExecutable(['import', `${from}/gateway.yaml`], { folder: to });
  expect(imported).toMatchObject({ exitCode: 0, stderr: '', stdout: '2 entities written to sqlite://sluice.db\n' });
  const [first, second] = await Promise.all([from, to].map(folder => runExecutable(['export'], { folder })));
  expect(second?.stdout).toBe(first?.stdout as string);
  const repeated = await runExecutable(['import', `${from}/gateway.yaml`], { folder: to });
  expect(repeated.stdout).toBe('0 entities written to sqlite://sluice.db\n');
});
