import { ConfigurationError } from '../../lib/configuration-error.ts';
import { isObject } from '../../lib/json.ts';
import { withoutSecrets } from '../../lib/redact.ts';
import { RequestFailure } from '../../lib/request-failure.ts';
import type { Credentials, Model } from '../../providers/provider.ts';
import { pump } from '../../stream/pump.ts';
import { withBody } from '../response-body.ts';
import { compileRead } from './answer.ts';
import type { LlmAuth } from './auth.ts';
import { plainBody, plainText } from './body.ts';
import { isWatched, type Logging } from './config.ts';
import { dropCredentials, mayHoldCredentials } from './credential-members.ts';
import type { ExchangeContext } from './exchange-context.ts';
import type { Observation } from './observation.ts';
import { checkModel, configuredMembers, type LlmCall, type RequestSettings, setHeaders } from './request.ts';
import { watchedStream } from './stream.ts';
import { compileTemplate } from './template.ts';

// The route type `preserve`: any call of the vendor's API, its bytes as they came there and back, with the credentials.

type Preserve = NonNullable<Model['preserve']>;

/** Sends the client's request on as it is. Throws a ConfigurationError for what would change it. */
export function compilePreservedRequest(settings: RequestSettings, { endpoint }: Preserve, auth: LlmAuth, credentials: Credentials | null) {
  const { model, response_streaming, logging } = settings;
  const limit = settings.max_request_body_size ?? 0;
  const configuredName = compileTemplate(model.name, 'model.name');
  const watched = isWatched(logging);
  configuredMembers('preserve', model.options);
  if (model.model_alias !== null) throw new ConfigurationError('a body that is preserved keeps its model', 'model.model_alias');
  if (auth.inBody) throw new ConfigurationError('a body that is preserved takes no parameter', 'auth.param_location');
  if (response_streaming === 'always') throw new ConfigurationError('a body that is preserved asks for what it says', 'response_streaming');

  return async (context: ExchangeContext): Promise<LlmCall> => {
    const startedAt = performance.now();
    if (mayHoldCredentials(context)) await dropCredentials(context, limit);
    const bytes = await context.body.bytes(limit);
    const isJson = context.request.headers.get('content-type')?.toLowerCase().includes('json') === true;
    const said = isJson ? await context.body.json(limit) : undefined;
    const { model: asked, stream: streamed } = isObject(said) ? said : {};
    const name = typeof configuredName === 'function' ? configuredName(context) : configuredName;
    checkModel(name, asked);
    if (response_streaming === 'deny' && streamed) throw new RequestFailure(400, 'response streaming is not enabled for this LLM');

    const call = {
      model: name ?? (typeof asked === 'string' ? asked : ''),
      stream: streamed === true,
      usageAsked: true,
      base64: false,
      startedAt,
      text: logging.log_payloads ? await context.body.text(limit) : '',
      path: context.path,
      query: context.query,
    };
    const { url, headers = {} } = endpoint(call);
    const { upstream } = context;
    upstream.url = auth.url(url, context.query, context.credentialPlaces);
    setHeaders(context, headers, auth, watched);
    if (credentials !== null)
      await credentials.sign({ method: upstream.method, url: upstream.url, headers: upstream.headers, body: bytes });
    return call;
  };
}

/** Lets the vendor's response pass as it is, errors included. No error shows one of the `secrets`. */
export function compilePreservedAnswer(logging: Logging, secrets: () => readonly string[]) {
  const read = compileRead(logging);
  const watching = { hideUsage: false, payloads: logging.log_payloads, estimated: logging.log_statistics, unframed: false };

  return (_context: ExchangeContext, response: Response, _call: LlmCall, observation: Observation) => {
    if (response.status >= 400) return refused(response);
    if (secrets().some(secret => response.headers.get('location')?.includes(secret))) response.headers.delete('location');
    const type = response.headers.get('content-type') ?? '';
    if (!response.ok || !isWatched(logging)) return undefined;
    if (type.includes('text/event-stream')) return withBody(response, pump(plainBody(response), watchedStream(watching, observation)));
    return type.includes('json') ? read(response, observation) : undefined;
  };

  async function refused(response: Response) {
    // An error whose text cannot be read is an error all the same.
    const text = await plainText(response).catch(() => '');
    return withBody(response, withoutSecrets(text, secrets()));
  }
}
