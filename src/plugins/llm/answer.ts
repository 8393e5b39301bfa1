import type { AnswerFacts, Format } from '../../formats/format.ts';
import { isObject, type JsonObject, parseJson } from '../../lib/json.ts';
import type { Operation, Translation, Unchanged } from '../../providers/provider.ts';
import { pump, type Stage } from '../../stream/pump.ts';
import { withBody } from '../response-body.ts';
import { plainBody, plainBytes, plainText, withJson } from './body.ts';
import { isWatched, type Logging } from './config.ts';
import type { ExchangeContext } from './exchange-context.ts';
import { badAnswer, vendorFailure } from './failure.ts';
import { hear, type Observation, observe } from './observation.ts';
import type { LlmCall } from './request.ts';
import { type AnyEvent, amendedStream, translatedStream, watchedStream } from './stream.ts';

const NO_STREAM = 'the model provider answered without a stream';

/**
 * Makes the vendor's response the client's. Headers are changed in place; undefined: the rest passes as it is.
 * No error shows one of the `secrets`.
 */
export function compileAnswer<Answer, Event extends AnyEvent>(
  operation: Operation<never, Answer, Event>,
  format: Format<Answer, Event>,
  logging: Logging,
  secrets: () => readonly string[],
) {
  const watched = isWatched(logging);
  const payloads = logging.log_payloads;
  const note = compileNote(logging);
  const read = compileRead(logging);
  const streamType = (operation.dialect === 'own' && operation.streamType) || 'text/event-stream';

  return (context: ExchangeContext, response: Response, call: LlmCall, observation: Observation) => {
    if (!response.ok) return vendorFailure(response, operation, secrets());
    const type = response.headers.get('content-type') ?? '';
    if (type.includes('text/html')) return badAnswer(response, 'the model provider answered with a web page');

    const streamed = type.includes(streamType);
    // A client that reads events would find none, and take it for an empty answer.
    if (call.stream && type.includes('application/json')) return badAnswer(response, NO_STREAM);
    if (operation.dialect === 'openai') return pass(operation, context, response, streamed, call, observation);
    const facts = {
      id: `chatcmpl-${context.id}`,
      model: call.model,
      created: Math.floor(Date.now() / 1000),
      includeUsage: call.usageAsked,
      base64: call.base64,
    };
    if (!call.stream) return translate(operation, response, facts, observation);
    if (!streamed) return badAnswer(response, NO_STREAM);
    return piped(response, translatedStream(operation, format, facts, observation, payloads));
  };

  function pass(
    { amend }: Unchanged<never>,
    { outcome }: ExchangeContext,
    response: Response,
    streamed: boolean,
    call: LlmCall,
    observation: Observation,
  ) {
    const unframed = outcome.unframed === true;
    const watching = { hideUsage: watched && !call.usageAsked, payloads, estimated: logging.log_statistics, unframed };
    if (streamed && amend !== undefined) return piped(response, amendedStream(amend, watching, observation));
    if (streamed && (watched || unframed)) return piped(response, watchedStream(watching, observation));
    if (amend !== undefined) return amended(amend, response, observation);
    return watched ? read(response, observation) : undefined;
  }

  /** The vendor's answer made OpenAI's where it differs. */
  async function amended({ answer }: NonNullable<Unchanged<never>['amend']>, response: Response, observation: Observation) {
    const body = parseJson(await plainText(response));
    if (!isObject(body)) return badAnswer(response, 'the model provider answered with something other than a JSON object');
    const changed = answer(body);
    const text = JSON.stringify(changed);
    note(observation, text, changed);
    return withJson(response, text);
  }

  async function translate(own: Translation<never, Answer, Event>, response: Response, facts: AnswerFacts, observation: Observation) {
    const body = parseJson(await plainText(response));
    if (body === undefined || body === null) return badAnswer(response, 'the model provider answered with something other than JSON');
    try {
      const answer = own.response(body);
      const text = JSON.stringify(format.answer(answer, facts));
      note(observation, text, answer as JsonObject);
      return withJson(response, text);
    } catch (error) {
      // Of something that is not where it should be, the runtime speaks in names of this program.
      const reason = error instanceof TypeError ? '' : `: ${(error as Error).message}`;
      return badAnswer(response, `the answer of the model provider was not understood${reason}`);
    }
  }
}

/** The client's bytes are the vendor's; what they say is noted. */
export function compileRead(logging: Logging) {
  const note = compileNote(logging);
  const decoder = new TextDecoder();
  return async (response: Response, observation: Observation) => {
    const bytes = await plainBytes(response);
    const text = decoder.decode(bytes);
    note(observation, text, parseJson(text));
    const { headers } = response;
    const isDescribed = headers.has('content-length') && !headers.has('content-encoding');
    return isDescribed ? new Response(bytes, response) : withBody(response, bytes);
  };
}

const compileNote =
  ({ log_payloads }: Logging) =>
  (observation: Observation, text: string, body: ReturnType<typeof parseJson>) => {
    observe(observation, body);
    // What the model said is the measure only where the vendor has none.
    if (observation.usage === null) hear(observation, body);
    observation.endedAt = performance.now();
    if (log_payloads) observation.payload = text;
  };

function piped(response: Response, stage: Stage): Response {
  const body = pump(plainBody(response), stage);
  response.headers.set('content-type', 'text/event-stream');
  return withBody(response, body);
}
