import { check, exportTo, health, type Invocation, importFrom, start, version, WORKER, worker } from './commands.ts';
import { node } from './lib/node.ts';
import { stderr, stdout } from './lib/output.ts';
import { redactText } from './lib/redact.ts';
import { describeUnknown } from './read-settings.ts';
import { isSetting, settingFields } from './settings.ts';

interface Command {
  /** What follows the name, as the help shows it. */
  readonly operands: string;
  readonly summary: string;
  readonly least: number;
  readonly most: number;
  run(invocation: Invocation): Promise<void>;
}

const COMMANDS: Readonly<Record<string, Command>> = {
  start: { operands: '', least: 0, most: 0, run: start, summary: 'Serve. This is what sluice alone does.' },
  check: { operands: ' [FILE]', least: 0, most: 1, run: check, summary: 'Check the settings, or a declarative file.' },
  import: { operands: ' FILE', least: 1, most: 1, run: importFrom, summary: 'Write what a declarative file says into the database.' },
  export: {
    operands: ' [FILE]',
    least: 0,
    most: 1,
    run: exportTo,
    summary: 'Print what the database holds as a declarative file, or write it to FILE.',
  },
  health: { operands: '', least: 0, most: 0, run: health, summary: 'Ask the running gateway how it is: exit code 0 when it serves.' },
  version: { operands: '', least: 0, most: 0, run: version, summary: 'Print version, commit and the level of the Admin API.' },
};

const flagOf = (name: string) => name.replaceAll('_', '-');
const SETTING_OPTIONS = Object.fromEntries(Object.keys(settingFields.fields).map(name => [flagOf(name), { type: 'string' as const }]));

/** The command line was not understood. */
class UsageError extends Error {}

/** Runs one command line. Resolves to the exit code: 0, 1 when it failed, 2 when it was not understood. */
export async function runCommandLine(args: readonly string[]): Promise<number> {
  try {
    await dispatch(args);
    return 0;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    // For programs an error is one line. Who sits at a terminal reads what is wrong with a file line by line.
    const between = stderr.isTerminal ? '\nsluice: ' : '; ';
    stderr.say(`sluice: ${redactText(message).replaceAll(/\s*\n\s*/g, between)}\n`);
    return error instanceof UsageError ? 2 : 1;
  }
}

async function dispatch(args: readonly string[]): Promise<void> {
  const [first = ''] = args;
  if (first === '--version') return version();
  if (first === WORKER) return worker();
  const named = first !== '' && !first.startsWith('-');
  const name = named ? first : 'start';
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (!command) throw new UsageError(`unknown command ${name}: there are ${Object.keys(COMMANDS).join(', ')}`);

  const { help, config, flags, operands } = parse(named ? args.slice(1) : args);
  if (help) {
    stdout.say(named ? commandHelp(name, command) : generalHelp());
    return;
  }
  if (operands.length < command.least) throw new UsageError(`usage: sluice ${name}${command.operands}`);
  if (operands.length > command.most) throw new UsageError(`${name} does not take ${operands[command.most]}`);
  await command.run({ operands, sources: { flags, environment: process.env, file: config } });
}

/** A command line without its command. */
interface Parsed {
  readonly help: boolean;
  readonly config: string | undefined;
  readonly flags: Readonly<Record<string, string>>;
  readonly operands: readonly string[];
}

function parse(args: readonly string[]): Parsed {
  if (args.length === 0) return { help: false, config: undefined, flags: {}, operands: [] };
  // `--log_level`, as kong.conf spells it, is taken for `--log-level`.
  const spelled = args.map(arg => (arg.startsWith('--') ? arg.replace(/^[^=]+/, flagOf) : arg));
  const options = { ...SETTING_OPTIONS, config: { type: 'string', short: 'c' }, help: { type: 'boolean', short: 'h' } } as const;
  try {
    const { values, positionals } = node.util.parseArgs({ args: spelled, options, allowPositionals: true });
    const { help, config, ...flags } = values as Record<string, string> & { help?: boolean };
    const named = Object.entries(flags).map(([flag, value]) => [flag.replaceAll('-', '_'), value as string]);
    return { help: help === true, config, flags: Object.fromEntries(named), operands: positionals };
  } catch (error) {
    throw new UsageError(explain(error as Error, spelled));
  }
}

/** The first option that does not exist, or what else is wrong, in one line. */
function explain(error: Error, args: readonly string[]): string {
  const unknown = args.find(arg => /^--[^=]/.test(arg) && !['config', 'help'].includes(settingOf(arg)) && !isSetting(settingOf(arg)));
  return unknown ? `${unknown.split('=')[0]}: ${describeUnknown(settingOf(unknown))}` : (error.message.split(/\.\s/)[0] ?? error.message);
}

const settingOf = (flag: string) => (flag.slice(2).split('=')[0] ?? '').replaceAll('-', '_');

function generalHelp(): string {
  const width = Math.max(...Object.entries(COMMANDS).map(([name, { operands }]) => name.length + operands.length));
  const lines = Object.entries(COMMANDS).map(([name, { operands, summary }]) => `  sluice ${(name + operands).padEnd(width)}  ${summary}`);
  return `An AI gateway in one file.\n\n${lines.join('\n')}\n\n${OPTIONS_HELP}`;
}

function commandHelp(name: string, { operands, summary }: Command): string {
  return `sluice ${name}${operands}\n\n${summary}\n\n${OPTIONS_HELP}`;
}

const OPTIONS_HELP = `Options:
  -c, --config FILE   The file of settings: ./sluice.yaml or /etc/sluice/sluice.yaml when not given.
  -h, --help          This help.

Every setting is an option too, such as --proxy-listen 127.0.0.1:9000, and an environment variable, such as
SLUICE_PROXY_LISTEN. What there is: ${Object.keys(settingFields.fields).map(flagOf).join(', ')}.
`;
