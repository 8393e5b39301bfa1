import { BatchQueue } from '../lib/batch-queue.ts';
import { openUnixDatagram, type UnixDatagram } from '../lib/unix-datagram.ts';
import { record, string } from '../schema/field.ts';
import { customFieldsByLua } from './custom-fields.ts';
import { logEntry } from './log-entry.ts';
import { DATAGRAM_QUEUE, sendDatagrams } from './log-queue.ts';
import { definePlugin } from './plugin.ts';
import { loggedStatus } from './request-measures.ts';

/** By their numbers in syslog's protocol: the most severe is 0. */
const SEVERITIES = ['emerg', 'alert', 'crit', 'err', 'warning', 'notice', 'info', 'debug'] as const;
const FACILITIES = {
  auth: 4,
  authpriv: 10,
  cron: 9,
  daemon: 3,
  ftp: 11,
  kern: 0,
  lpr: 6,
  mail: 2,
  news: 7,
  syslog: 5,
  user: 1,
  uucp: 8,
  local0: 16,
  local1: 17,
  local2: 18,
  local3: 19,
  local4: 20,
  local5: 21,
  local6: 22,
  local7: 23,
} as const;
type Facility = keyof typeof FACILITIES;

/** Rules of people who have them sort by it. */
const SENDER = 'kong';

const severity = string({
  required: true,
  default: 'info',
  one_of: ['debug', 'info', 'notice', 'warning', 'err', 'crit', 'alert', 'emerg'],
});

/** The plugin for a machine whose syslog listens there. */
export const syslogAt = (path: string) =>
  definePlugin({
    name: 'syslog',
    priority: 4,
    config: record(
      {
        log_level: severity,
        successful_severity: severity,
        client_errors_severity: severity,
        server_errors_severity: severity,
        custom_fields_by_lua: customFieldsByLua,
        facility: string({ required: true, default: 'user', one_of: Object.keys(FACILITIES) as Facility[] }),
      },
      { required: true },
    ),
    configure(config, host, instance) {
      const least = SEVERITIES.indexOf(config.log_level);
      const headOf = (name: (typeof SEVERITIES)[number]) => {
        const number = SEVERITIES.indexOf(name);
        return number > least ? null : `<${FACILITIES[config.facility] * 8 + number}>`;
      };
      const successful = headOf(config.successful_severity);
      const clientError = headOf(config.client_errors_severity);
      const serverError = headOf(config.server_errors_severity);

      const name = `syslog ${instance.id}`;
      const socket = openUnixDatagram(path);
      const send = sendDatagrams(name, host.log, line => sendWhenFree(socket, Buffer.from(line)));
      const queue = new BatchQueue(name, DATAGRAM_QUEUE, send, host.log);
      return {
        log(context) {
          const status = loggedStatus(context.outcome);
          const head = status >= 500 ? serverError : status >= 400 ? clientError : successful;
          if (head !== null) queue.add(`${head}${timestamp(new Date())} ${SENDER}: ${logEntry(context)}`);
        },
        async close() {
          await queue.close();
          socket.close();
        },
      };
    },
  });

/** Request logs to the syslog of this machine, in the form in which libc's `syslog` writes to it. */
export const syslog = syslogAt('/dev/log');

/** The kernel may hold as few as ten messages for who reads slowly: that is no failure yet. */
async function sendWhenFree(socket: UnixDatagram, message: Uint8Array): Promise<void> {
  for (let pause = 1; ; pause *= 2) {
    try {
      socket.send(message);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN' || pause > LONGEST_PAUSE_MS) throw error;
      await Bun.sleep(pause);
    }
  }
}
const LONGEST_PAUSE_MS = 500;

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Such as `Jan  2 03:04:05`, by the clock of this place. */
function timestamp(time: Date): string {
  return `${MONTHS[time.getMonth()]} ${String(time.getDate()).padStart(2)} ${time.toTimeString().slice(0, 8)}`;
}
