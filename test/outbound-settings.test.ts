import { expect, test } from 'bun:test';
import { namesOf } from '../src/outbound-settings.ts';
import { readSettings } from '../src/read-settings.ts';

const file = '/etc/hosts';

test.each<[string, Record<string, string>, Record<string, string>, object]>([
  ['targets alone are looked up, as the machine says', {}, {}, { hostsFile: file, servers: null, lookUpHosts: false }],
  [
    'name servers, with the usual port where they say none',
    { dns_resolver: '10.0.0.1, 10.0.0.2:5353, [fd00::1]' },
    {},
    { hostsFile: file, servers: ['10.0.0.1:53', '10.0.0.2:5353', '[fd00:0000:0000:0000:0000:0000:0000:0001]:53'], lookUpHosts: true },
  ],
  [
    'a hosts file below the prefix',
    { dns_hostsfile: 'hosts', prefix: '/srv' },
    {},
    { hostsFile: '/srv/hosts', servers: null, lookUpHosts: true },
  ],
  [
    'a proxy looks up hosts itself',
    { dns_resolver: '10.0.0.1' },
    { HTTPS_PROXY: 'http://proxy:3128' },
    { hostsFile: file, servers: ['10.0.0.1:53'], lookUpHosts: false },
  ],
])('%s', (_, flags, environment, names) => {
  expect(namesOf(readSettings({ flags, environment: {} }).settings, environment)).toEqual(names as never);
});
