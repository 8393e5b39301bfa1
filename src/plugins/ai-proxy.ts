import type { Format } from '../formats/format.ts';
import { openaiChat } from '../formats/openai-chat.ts';
import { openaiCompletions } from '../formats/openai-completions.ts';
import { openaiEmbeddings } from '../formats/openai-embeddings.ts';
import { ConfigurationError } from '../lib/configuration-error.ts';
import { isObject } from '../lib/json.ts';
import { RequestFailure } from '../lib/request-failure.ts';
import type { Credentials, Model, Operation, Provider, Target } from '../providers/provider.ts';
import { providers } from '../providers/registry.ts';
import { boolean, type Infer, integer, record, string } from '../schema/field.ts';
import { protocolsHttp } from '../schema/typedefs.ts';
import { noteKey } from './context.ts';
import { compileAnswer } from './llm/answer.ts';
import { compileAuth } from './llm/auth.ts';
import { auth, isWatched, llmChecks, logging, model } from './llm/config.ts';
import { compileCost } from './llm/cost.ts';
import { exchangeEntry } from './llm/exchange-entry.ts';
import { gatewayFailure, refusal } from './llm/failure.ts';
import { newObservation, type Observation } from './llm/observation.ts';
import { compilePreservedAnswer, compilePreservedRequest } from './llm/preserve.ts';
import { compileRequest, type LlmCall, ROUTE_TYPES } from './llm/request.ts';
import type { AnyEvent } from './llm/stream.ts';
import { compileTarget } from './llm/target.ts';
import { compileTemplate } from './llm/template.ts';
import { definePlugin } from './plugin.ts';

/** Kong's default fits all route types. */
function categoryError(given: { readonly genai_category: string | null; readonly route_type: string }): string | undefined {
  const { genai_category: category, route_type: type } = given;
  if (category !== 'text/embeddings' || type === 'llm/v1/embeddings' || type === 'preserve') return undefined;
  return `genai_category ${category} does not fit route_type ${type}`;
}

const config = record(
  {
    genai_category: string({ default: 'text/generation', one_of: ['text/generation', 'text/embeddings'] }),
    route_type: string({ required: true, one_of: ROUTE_TYPES }),
    auth,
    model,
    logging,
    response_streaming: string({ default: 'allow', one_of: ['allow', 'deny', 'always'] }),
    max_request_body_size: integer({ default: 1024 * 1024, gt: -1 }),
    model_name_header: boolean({ default: true }),
    llm_format: string({ default: 'openai', one_of: ['openai'] }),
  },
  {
    required: true,
    entity_checks: [...llmChecks, { custom_entity_check: { field_sources: ['genai_category', 'route_type'], fn: categoryError } }],
  },
);

type Config = Infer<typeof config>;

/** One model, and the way there and back. */
interface Exchange {
  readonly toVendor: ReturnType<typeof compileRequest>;
  readonly toClient: ReturnType<typeof compileAnswer>;
}

/** What one request left for the way back. */
interface Exchanged {
  readonly exchange: Exchange;
  readonly call: LlmCall;
  readonly observation: Observation;
}
const exchangedKey = noteKey<Exchanged>('ai-proxy');

/** Sends a route's requests to a model, whatever its vendor speaks, and its answers back in OpenAI's dialect. */
export const aiProxy = definePlugin({
  name: 'ai-proxy',
  priority: 770,
  fields: { protocols: protocolsHttp },
  config,

  configure(config, _host, instance) {
    const { logging, model, model_name_header } = config;
    const exchangeOf = compileTarget(model.options, options => compileExchange(config, options));
    const modelHeader = compileModelHeader(model.provider);
    const facts = { provider: model.provider, pluginId: instance.id, cost: compileCost(model.options), logging };

    return {
      async access(context) {
        try {
          const exchange = exchangeOf(context);
          context.notes.set(exchangedKey, { exchange, call: await exchange.toVendor(context), observation: newObservation() });
        } catch (error) {
          return refused(error);
        }
      },

      response(context, response) {
        const exchanged = context.notes.get(exchangedKey);
        if (exchanged === undefined || context.outcome.source === 'exit') return;
        if (context.outcome.source === 'error') return gatewayFailure(response);

        const { exchange, call, observation } = exchanged;
        response.headers.delete('set-cookie');
        if (response.ok && model_name_header && call.model !== '') response.headers.set('X-Kong-LLM-Model', modelHeader(call.model));
        const failed = (error: unknown) => {
          // That the answer broke off is no news when the client did.
          if (context.request.signal.aborted) throw error;
          return refused(error);
        };
        try {
          const answer = exchange.toClient(context, response, call, observation);
          return answer instanceof Promise ? answer.catch(failed) : answer;
        } catch (error) {
          return failed(error);
        }
      },

      ...(isWatched(logging) && {
        async log(context) {
          const exchanged = context.notes.get(exchangedKey);
          if (exchanged === undefined) return;
          const { ai } = context.log;
          const proxy = await exchangeEntry(context, exchanged.call, exchanged.observation, facts);
          Object.assign(context.log, { ai: { ...(isObject(ai) && ai), proxy } });
        },
      }),
    };
  },
});

/** Throws a ConfigurationError for a vendor that has no such operation. */
function compileExchange(config: Config, options: object): Exchange {
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
  config: Config,
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

function preserved(config: Config, calls: NonNullable<Model['preserve']>, credentials: Credentials | null): Exchange {
  const { auth, secrets } = proofs(config, credentials);
  return {
    toVendor: compilePreservedRequest(config, calls, auth, credentials),
    toClient: compilePreservedAnswer(config.logging, secrets),
  };
}

function proofs(config: Config, credentials: Credentials | null) {
  const auth = compileAuth(config.auth);
  return { auth, secrets: () => [...auth.secrets, ...(credentials?.secrets() ?? [])] };
}

function refused(error: unknown): Response {
  if (error instanceof RequestFailure) return refusal(error);
  throw error;
}

/** Clients may name models in any script, headers may not. Most requests ask for the model of the one before. */
function compileModelHeader(provider: string): (model: string) => string {
  let last = { model: '', header: `${provider}/` };
  return model => {
    if (model !== last.model) last = { model, header: `${provider}/${model.toWellFormed().replace(/[^\x20-\x7e]+/g, encodeURIComponent)}` };
    return last.header;
  };
}
