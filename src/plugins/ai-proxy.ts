import type { Format } from '../formats/format.ts';
import { openaiChat } from '../formats/openai-chat.ts';
import { openaiCompletions } from '../formats/openai-completions.ts';
import { ConfigurationError } from '../lib/configuration-error.ts';
import { isObject } from '../lib/json.ts';
import { RequestFailure } from '../lib/request-failure.ts';
import type { Operation } from '../providers/provider.ts';
import { providers } from '../providers/registry.ts';
import { boolean, type Infer, integer, record, string } from '../schema/field.ts';
import { protocolsHttp } from '../schema/typedefs.ts';
import { noteKey } from './context.ts';
import { compileAnswer } from './llm/answer.ts';
import { compileAuth } from './llm/auth.ts';
import { auth, isWatched, llmChecks, logging, model } from './llm/config.ts';
import { gatewayFailure, refusal } from './llm/failure.ts';
import { exchangeEntry, newObservation, type Observation } from './llm/observation.ts';
import { compileRequest, type LlmCall } from './llm/request.ts';
import type { AnyEvent } from './llm/stream.ts';
import { definePlugin, type Phases, type PluginInstance } from './plugin.ts';

const config = record(
  {
    route_type: string({ required: true, one_of: ['llm/v1/chat', 'llm/v1/completions'] }),
    auth,
    model,
    logging,
    response_streaming: string({ default: 'allow', one_of: ['allow', 'deny', 'always'] }),
    max_request_body_size: integer({ default: 1024 * 1024, gt: -1 }),
    model_name_header: boolean({ default: true }),
    llm_format: string({ default: 'openai', one_of: ['openai'] }),
  },
  { required: true, entity_checks: llmChecks },
);

type Config = Infer<typeof config>;

/** What one exchange left for the way back. */
interface Exchange {
  readonly call: LlmCall;
  readonly observation: Observation;
}
const exchangeKey = noteKey<Exchange>('ai-proxy');

/** Sends a route's requests to a model, whatever its vendor speaks, and its answers back in OpenAI's dialect. */
export const aiProxy = definePlugin({
  name: 'ai-proxy',
  priority: 770,
  fields: { protocols: protocolsHttp },
  config,

  configure(config, _host, instance) {
    const provider = providers.find(({ name }) => name === config.model.provider);
    const { name, options } = config.model;
    if (options?.upstream_url?.includes('$(')) {
      throw new ConfigurationError('clients must not choose where their requests go', 'model.options.upstream_url');
    }
    const { chat, completions } = provider?.model({ name, options: options ?? {} }) ?? {};
    if (config.route_type === 'llm/v1/chat' && chat) return phases(config, instance, chat, openaiChat);
    if (config.route_type === 'llm/v1/completions' && completions) return phases(config, instance, completions, openaiCompletions);
    throw new ConfigurationError(`${config.model.provider} does not support ${config.route_type}`, 'route_type');
  },
});

function phases<Request, Answer, Event extends AnyEvent>(
  config: Config,
  instance: PluginInstance,
  operation: Operation<Request, Answer, Event>,
  format: Format<Answer, Event>,
): Phases {
  const { logging, model_name_header } = config;
  const credentials = compileAuth(config.auth);
  const toVendor = compileRequest(config, operation, credentials);
  const toClient = compileAnswer(operation, format, logging, credentials.secrets);
  const modelHeader = compileModelHeader(config.model.provider);
  const facts = { provider: config.model.provider, pluginId: instance.id, options: config.model.options, logging };

  return {
    async access(context) {
      try {
        context.notes.set(exchangeKey, { call: await toVendor(context), observation: newObservation() });
      } catch (error) {
        return refused(error);
      }
    },

    response(context, response) {
      const exchange = context.notes.get(exchangeKey);
      if (exchange === undefined || context.outcome.source === 'exit') return;
      if (context.outcome.source === 'error') return gatewayFailure(response);

      const { call, observation } = exchange;
      response.headers.delete('set-cookie');
      if (response.ok && model_name_header) response.headers.set('X-Kong-LLM-Model', modelHeader(call.model));
      const failed = (error: unknown) => {
        // That the answer broke off is no news when the client did.
        if (context.request.signal.aborted) throw error;
        return refused(error);
      };
      try {
        const answer = toClient(context, response, call, observation);
        return answer instanceof Promise ? answer.catch(failed) : answer;
      } catch (error) {
        return failed(error);
      }
    },

    ...(isWatched(logging) && {
      log(context) {
        const exchange = context.notes.get(exchangeKey);
        if (exchange === undefined) return;
        const { ai } = context.log;
        const proxy = exchangeEntry(exchange.call, exchange.observation, facts);
        Object.assign(context.log, { ai: { ...(isObject(ai) && ai), proxy } });
      },
    }),
  };
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
