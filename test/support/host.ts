import { join } from 'node:path';
import { countersIn } from '../../src/lib/counters.ts';
import { Metrics } from '../../src/lib/metrics.ts';
import type { Host, Plugin, PluginInstance } from '../../src/plugins/plugin.ts';
import { record } from '../../src/schema/field.ts';
import { validate } from '../../src/schema/validate.ts';
import { violation } from '../../src/schema/violation.ts';
import { recordingLog } from './recording-log.ts';

export const NODE_ID = '3d7bd0a3-0b8b-4a63-9d1f-2b1b3c0f4e55';

/** A host for plugins under test; its log can be read, and relative paths begin at `prefix`. */
export function openHost(prefix = '/nowhere') {
  const { log, lines, said } = recordingLog();
  const host: Host = {
    lookup: () => () => undefined,
    pointingAt: () => () => [],
    remembered: workOut => workOut,
    log,
    nodeId: NODE_ID,
    counters: countersIn({ file: join(prefix, 'sluice.counters'), log }),
    databaseCounters: null,
    metrics: new Metrics(),
    path: relative => join(relative.startsWith('/') ? '' : prefix, relative),
  };
  return { host, lines, said };
}

/** A row for everybody. */
const NOWHERE = { route: null, service: null, consumerGroup: null };

/** The plugin's phases for a configuration as an operator writes it. Throws what the Admin API would answer. */
export function configured<Config>(plugin: Plugin<string, Config>, input: object, host: Host, instance: Partial<PluginInstance> = {}) {
  const checked = validate(record({ config: plugin.config }, { required: true, entity_checks: plugin.entity_checks ?? [] }), {
    config: input,
  });
  if ('errors' in checked) throw new Error(violation(checked.errors));
  return plugin.configure(checked.value.config as Config, host, { ...NOWHERE, id: 'c4fe', name: plugin.name, ...instance });
}
