import { RequestFailure } from '../lib/request-failure.ts';
import { record } from '../schema/field.ts';
import { noConsumer, protocolsHttp } from '../schema/typedefs.ts';
import { dropCredentials, mayHoldCredentials } from './llm/credential-members.ts';
import { compileTransformation, isText, transformationChecks, transformationFields, transformationRefusal } from './llm/transformation.ts';
import { definePlugin } from './plugin.ts';

const config = record(transformationFields, { required: true, entity_checks: transformationChecks });

/** Has a model rewrite the body of a request before it goes to its service. A request without a body has nothing to rewrite. */
export const aiRequestTransformer = definePlugin({
  name: 'ai-request-transformer',
  priority: 777,
  fields: { protocols: protocolsHttp, consumer: noConsumer },
  config,

  configure(config, host, instance) {
    const { transform, phases } = compileTransformation(config, host, instance);
    const limit = config.max_request_body_size ?? 0;

    return {
      ...phases,
      async access(context) {
        const { body } = context;
        try {
          if (mayHoldCredentials(context)) await dropCredentials(context, limit);
          const text = await body.text(limit);
          if (text === '') return;
          if (!isText(text)) throw new RequestFailure(400, 'request body is not text');
          body.replace(await transform(context, text));
        } catch (error) {
          if (!(error instanceof RequestFailure)) throw error;
          host.log.warn(`a request is not transformed: ${error.message}`, { request_id: context.id, status: error.status });
          return transformationRefusal(error);
        }
      },
    };
  },
});
