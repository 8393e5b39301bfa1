import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { caCertificates, certificates, snis } from './admin-scenarios/certificates.ts';
import { consumerGroups } from './admin-scenarios/consumer-groups.ts';
import { consumers } from './admin-scenarios/consumers.ts';
import { credentials } from './admin-scenarios/credentials.ts';
import { deck } from './admin-scenarios/deck.ts';
import { documentation } from './admin-scenarios/documentation.ts';
import { encodingsOf } from './admin-scenarios/encoding.ts';
import { information } from './admin-scenarios/information.ts';
import { keySets, keys } from './admin-scenarios/keys.ts';
import { lists } from './admin-scenarios/lists.ts';
import { type Player, startPlayer } from './admin-scenarios/player.ts';
import { plugins } from './admin-scenarios/plugins.ts';
import { references } from './admin-scenarios/references.ts';
import { requests } from './admin-scenarios/requests.ts';
import { routes } from './admin-scenarios/routes.ts';
import type { Scenario, Table } from './admin-scenarios/scenario.ts';
import { serviceFields } from './admin-scenarios/service-fields.ts';
import { services } from './admin-scenarios/services.ts';
import { targets } from './admin-scenarios/targets.ts';
import { upstreams } from './admin-scenarios/upstreams.ts';
import { vaults } from './admin-scenarios/vaults.ts';

setDefaultTimeout(20_000);

const tables: Readonly<Record<string, Table>> = {
  services,
  'fields of services': serviceFields,
  routes,
  plugins,
  consumers,
  'consumer groups': consumerGroups,
  credentials,
  upstreams,
  targets,
  certificates,
  snis,
  'CA certificates': caCertificates,
  keys,
  'key sets': keySets,
  vaults,
  references,
  requests,
  lists,
  information,
  documentation,
  decK: deck,
};
/** Steps that were played: once each, and in all encodings in which their scenario can be said. */
const played = { once: 0, inAll: 0 };

describe.each(Object.entries(tables))('%s', (_, table) => {
  let player: Player;
  beforeAll(async () => {
    player = await startPlayer();
  });
  afterAll(() => player[Symbol.asyncDispose]());

  for (const [title, entry] of Object.entries(table)) {
    const scenario = 'steps' in entry ? entry : ({ steps: entry } as Scenario);
    for (const encoding of encodingsOf(scenario)) {
      test(`${title} (${encoding})`, async () => {
        await player.play(scenario, encoding);
        played.inAll += scenario.steps.length;
        if (encoding === 'json') played.once += scenario.steps.length;
      });
    }
  }
});

test('there are at least 600 cases', () => {
  console.log(`${played.once} cases of the Admin API over HTTP; ${played.inAll} with those that were said as forms too`);
  expect(played.once).toBeGreaterThanOrEqual(600);
});
