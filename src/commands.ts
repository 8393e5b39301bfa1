import { writeFileSync } from 'node:fs';
import { executeAgain, ownCommand, wasExecutedAgain } from './lib/execute-again.ts';
import { createLog, type LeveledLog } from './lib/log.ts';
import { environmentAnew, loadBundle, outboundEnvironment, trustOnly } from './lib/outbound.ts';
import { stderr, stdout } from './lib/output.ts';
import * as build from './lib/version.ts';
import { outboundOf } from './outbound-settings.ts';
import { readSettings, type SettingSources } from './read-settings.ts';
import type { Settings } from './settings.ts';
import { askStatus } from './status-client.ts';

export interface Invocation {
  readonly operands: readonly string[];
  readonly sources: SettingSources;
}

/** The argument with which the gateway starts its workers. Nobody else does, so no help names it. */
export const WORKER = 'worker';

// The gateway itself is loaded where it is needed: it takes longer than all else here, and a start runs this file twice.
const loadServer = () => import('./server.ts');
const loadConfiguration = () => import('./configuration.ts');

const print = (text: string) => stdout.say(`${text}\n`);

/** Serves until a signal ends it. */
export async function start({ sources }: Invocation): Promise<void> {
  const again = wasExecutedAgain();
  const { settings, warnings } = readSettings(sources);
  const outbound = outboundOf(settings);
  if (!again) executeAgain(outboundEnvironment(outbound, process.env));
  const bundle = await loadBundle(process.env);
  const certificates = outbound.systemTrusted ? null : outbound.certificates;
  if (certificates !== null) trustOnly(certificates);
  const log = logOf(settings);
  for (const warning of warnings) log.warn(warning);
  const { serve } = await loadServer();
  const worker = { command: [...ownCommand(), WORKER], environment: () => environmentAnew(process.env, bundle) };
  await serve(settings, log, { worker, certificates });
}

/** Serves as one of the workers of the gateway that started this process. */
export async function worker(): Promise<void> {
  const { runWorker } = await import('./workers/worker.ts');
  await runWorker();
}

/** Checks a declarative file or, when none is named, that the gateway would start with its settings. */
export async function check({ operands: [file], sources }: Invocation): Promise<void> {
  const { settings, warnings, file: settingsFile } = readSettings(sources);
  for (const warning of warnings) stderr.say(`sluice: ${warning}\n`);
  const log = createLog({ level: 'crit', format: 'text', write: line => stderr.say(line) });
  outboundOf(settings);
  const fault =
    file === undefined
      ? await (await loadServer()).rehearse(settings, log)
      : await (await loadConfiguration()).checkDeclarative(settings, file, log).catch(orSettings(file));
  if (fault !== null) stderr.say(`sluice: ${fault}\n`);
  print(`${file ?? settingsFile ?? 'settings'}: valid`);
}

/** Who knows `kong check` names a file of settings like that. */
const orSettings = (file: string) => (error: Error) => {
  const isNone = /: (expected an object|_format_version: required field missing)$/m.test(error.message);
  if (isNone) error.message += `\n${file}: a file of settings is checked by sluice check -c ${file}`;
  throw error;
};

export async function importFrom({ operands: [file = ''], sources }: Invocation): Promise<void> {
  const { settings } = readSettings(sources);
  const { importDeclarative } = await loadConfiguration();
  const count = await importDeclarative(settings, file, logOf(settings));
  print(`${count} ${count === 1 ? 'entity' : 'entities'} written to ${settings.database}`);
}

export async function exportTo({ operands: [file], sources }: Invocation): Promise<void> {
  const { settings } = readSettings(sources);
  const { exportDeclarative } = await loadConfiguration();
  const text = await exportDeclarative(settings);
  if (file === undefined) await deliver(text);
  // Plugin configuration holds the vendors' keys.
  else writeFileSync(file, text, { mode: 0o600 });
}

/** Resolves once the reader of the output has all of it, or is gone. A process that ended before would take the rest along. */
const deliver = (text: string): Promise<void> => stdout.write(text).catch(() => {});

export async function health({ sources }: Invocation): Promise<void> {
  const { settings } = readSettings(sources);
  print(`sluice is serving: ${await askStatus(settings)}`);
}

export async function version(): Promise<void> {
  print(`sluice ${build.version} (commit ${build.commit}, Kong Admin API ${build.kongApiLevel})`);
}

function logOf({ log_level, log_format }: Settings): LeveledLog {
  return createLog({ level: log_level, format: log_format ?? (stdout.isTerminal ? 'text' : 'json') });
}
