import { BatchQueue } from '../lib/batch-queue.ts';
import { ConfigurationError } from '../lib/configuration-error.ts';
import { withoutBrackets } from '../lib/host.ts';
import { openUdpSender } from '../lib/udp-sender.ts';
import { integer, number, record, string } from '../schema/field.ts';
import { hostError } from '../schema/typedefs.ts';
import { customFieldsByLua } from './custom-fields.ts';
import { logEntry } from './log-entry.ts';
import { DATAGRAM_QUEUE, sendDatagrams } from './log-queue.ts';
import { definePlugin } from './plugin.ts';

/** Request logs to a UDP server, a datagram of JSON each. */
export const udpLog = definePlugin({
  name: 'udp-log',
  priority: 8,
  config: record(
    {
      host: string({ required: true, custom_validator: hostError }),
      port: integer({ required: true, between: [0, 65535] }),
      timeout: number({ default: 10_000 }),
      custom_fields_by_lua: customFieldsByLua,
    },
    { required: true },
  ),
  configure({ host, port, timeout }, { log }, instance) {
    if ((timeout ?? 0) < 0) throw new ConfigurationError('value must not be negative', 'timeout');
    const name = `udp-log ${instance.id}`;
    const sender = openUdpSender(withoutBrackets(host), port, timeout ?? 10_000);
    const queue = new BatchQueue(name, DATAGRAM_QUEUE, sendDatagrams(name, log, sender.send), log);
    return {
      log(context) {
        queue.add(logEntry(context));
      },
      async close() {
        await queue.close();
        sender.close();
      },
    };
  },
});
