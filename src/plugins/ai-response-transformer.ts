import { decodeBytes } from '../lib/encoding.ts';
import { RequestFailure } from '../lib/request-failure.ts';
import { boolean, record } from '../schema/field.ts';
import { protocolsHttp } from '../schema/typedefs.ts';
import type { Context } from './context.ts';
import { isBrokenStream } from './llm/broken-stream.ts';
import { instructedResponse } from './llm/instructions.ts';
import { compileTransformation, isText, transformationChecks, transformationFields, transformationRefusal } from './llm/transformation.ts';
import { definePlugin } from './plugin.ts';
import { isBodyless, readAtMost, withBody } from './response-body.ts';

const config = record(
  { ...transformationFields, parse_llm_response_json_instructions: boolean({ required: true, default: false }) },
  { required: true, entity_checks: transformationChecks },
);

/** Bytes, as they came and decoded: more than any model reads. */
const LARGEST_ANSWER = 16 * 1024 * 1024;

/** Has a model rewrite what a service answered: its text, or by the model's instructions its status and headers too. */
export const aiResponseTransformer = definePlugin({
  name: 'ai-response-transformer',
  priority: 768,
  fields: { protocols: protocolsHttp },
  config,

  configure(config, host, instance) {
    const { transform, phases } = compileTransformation(config, host, instance);
    const limit = config.max_request_body_size ?? 0;

    return {
      ...phases,

      /** The limit is one of requests: Kong reads them whole to send them itself. */
      async access({ body }) {
        if (limit === 0) return;
        try {
          await body.bytes(limit);
        } catch (error) {
          if (error instanceof RequestFailure) return transformationRefusal(error);
          throw error;
        }
      },

      async response(context, response) {
        if (context.outcome.source !== 'upstream' || isWithoutBody(context, response)) return;
        const { status } = response;
        const lost = { request_id: context.id, status, content_type: response.headers.get('content-type') };
        try {
          const text = await readText(response);
          if (text === '') return withBody(response, '');
          const transformed = await transform(context, text);
          return config.parse_llm_response_json_instructions ? instructedResponse(response, transformed) : withBody(response, transformed);
        } catch (error) {
          if (!(error instanceof RequestFailure)) throw error;
          host.log.error(`the answer of the service is withheld, it could not be transformed: ${error.message}`, lost);
          return transformationRefusal(error);
        }
      },
    };
  },
});

const isWithoutBody = ({ method }: Context, { status, headers, body }: Response) =>
  method === 'HEAD' || isBodyless(status) || headers.get('content-length') === '0' || body === null;

/** Throws a RequestFailure (500) for a body that no model could read, and what fetch throws for one that breaks off. */
async function readText(response: Response): Promise<string> {
  const bytes = await readAtMost(response, LARGEST_ANSWER, () => unreadable('it is too large'));
  const plain = await decodeBytes(bytes, response.headers.get('content-encoding'), LARGEST_ANSWER).catch((error: Error) => {
    throw unreadable(error.message);
  });
  const text = Buffer.from(plain.buffer, plain.byteOffset, plain.length).toString();
  if (!isText(text)) throw unreadable('it is not text');
  if (isBrokenStream(response, text)) throw unreadable('its stream broke off');
  return text;
}

const unreadable = (reason: string) => new RequestFailure(500, `failed to read the answer of the service: ${reason}`);
