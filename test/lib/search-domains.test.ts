import { afterAll, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { searchDomains } from '../../src/lib/search-domains.ts';

const folder = mkdtempSync(join(tmpdir(), 'search-domains-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = join(folder, 'resolv.conf');

test.each<[string, string, object]>([
  ['says nothing', 'nameserver 10.0.0.1\n# search not.test\n', { domains: [], dots: 1 }],
  [
    'of a pod',
    'search ns.svc.cluster.local svc.cluster.local\tcluster.local\noptions timeout:2 ndots:5\n',
    { domains: ['ns.svc.cluster.local', 'svc.cluster.local', 'cluster.local'], dots: 5 },
  ],
  ['says it twice: the last counts', 'search a.test\ndomain b.test\n', { domains: ['b.test'], dots: 1 }],
  ['searches nowhere', 'search .\noptions ndots:0', { domains: [], dots: 0 }],
])('a resolv.conf that %s', (_, text, domains) => {
  writeFileSync(file, text);
  expect(searchDomains(file)).toEqual(domains as never);
});

test('no resolv.conf', () => expect(searchDomains(`${file}.none`)).toEqual({ domains: [], dots: 1 }));
