import type { Format } from '../../formats/format.ts';
import { openaiChat } from '../../formats/openai-chat.ts';
import { openaiCompletions } from '../../formats/openai-completions.ts';
import { openaiEmbeddings } from '../../formats/openai-embeddings.ts';
import { ConfigurationError } from '../../lib/configuration-error.ts';
import type { Credentials, Model, Operation, Provider, Target } from '../../providers/provider.ts';
import { providers } from '../../providers/registry.ts';
import { compileAnswer } from './answer.ts';
import { compileAuth } from './auth.ts';
import type { Auth } from './config.ts';
import { compilePreservedAnswer, compilePreservedRequest } from './preserve.ts';
import { compileRequest, type RequestSettings } from './request.ts';
import type { AnyEvent } from './stream.ts';
import { compileTemplate } from './template.ts';

export interface ExchangeSettings extends RequestSettings {
  readonly auth: Auth;
}

/** One model, and the way there and back. */
export interface Exchange {
  readonly toVendor: ReturnType<typeof compileRequest>;
  readonly toClient: ReturnType<typeof compileAnswer>;
}

/** Throws a ConfigurationError for a vendor that has no such operation. */
export function compileExchange(config: ExchangeSettings, options: object): Exchange {
  const provider: Provider | undefined = providers.find(({ name }) => name === config.model.provider);
  // A name that requests fill in is known with the call.
  const name = typeof compileTemplate(config.model.name, 'model.name') === 'function' ? null : config.model.name;
  const target = { name, options } as Target;
  const { chat, completions, embeddings, preserve } = provider?.model(target) ?? {};
  const credentials = provider?.credentials?.(config.auth ?? {}, target) ?? null;
  if (config.route_type === 'llm/v1/chat' && chat) return between(config, chat, openaiChat, credentials);
  if (config.route_type === 'llm/v1/completions' && completions) return between(config, completions, openaiCompletions, credentials);
  if (config.route_type === 'llm/v1/embeddings' && embeddings) return between(config, embeddings, openaiEmbeddings, credentials);
  if (config.route_type === 'preserve' && preserve) return preserved(config, preserve, credentials);
  throw new ConfigurationError(`${config.model.provider} does not support ${config.route_type}`, 'route_type');
}

function between<Request, Answer, Event extends AnyEvent>(
  config: ExchangeSettings,
  operation: Operation<Request, Answer, Event>,
  format: Format<Answer, Event>,
  credentials: Credentials | null,
): Exchange {
  const { auth, secrets } = proofs(config, credentials);
  return {
    toVendor: compileRequest(config, operation, auth, credentials),
    toClient: compileAnswer(operation, format, config.logging, secrets),
  };
}

function preserved(config: ExchangeSettings, calls: NonNullable<Model['preserve']>, credentials: Credentials | null): Exchange {
  const { auth, secrets } = proofs(config, credentials);
  return {
    toVendor: compilePreservedRequest(config, calls, auth, credentials),
    toClient: compilePreservedAnswer(config.logging, secrets),
  };
}

function proofs(config: ExchangeSettings, credentials: Credentials | null) {
  const auth = compileAuth(config.auth);
  return { auth, secrets: () => [...auth.secrets, ...(credentials?.secrets() ?? [])] };
}
