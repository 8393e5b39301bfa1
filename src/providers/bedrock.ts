import type { ChatEvent, ChatRequest, ChatResponse } from '../chat/chat.ts';
import { RequestFailure } from '../lib/request-failure.ts';
import { boolean, record, string } from '../schema/field.ts';
import { decodeAwsEvents } from '../stream/aws-events.ts';
import { fromConverse } from './bedrock/answer.ts';
import { fromEmbed, toEmbed } from './bedrock/embeddings.ts';
import { toConverse } from './bedrock/request.ts';
import { translateStream } from './bedrock/stream.ts';
import { completionsOverChat } from './completions-over-chat.ts';
import { operationUrl, preservedCalls } from './endpoint.ts';
import { defineProvider, type Options, type Translation } from './provider.ts';
import { awsCredentials, awsRegion } from './signing/aws.ts';

/** For what Kong calls batches and videos with: AWS's jobs, which the gateway does not start. */
const forJobsOnly = () => 'jobs of batches and of videos are not supported: leave it null';

const bedrockOptions = record({
  aws_region: string(),
  aws_assume_role_arn: string(),
  aws_role_session_name: string(),
  aws_sts_endpoint_url: string(),
  embeddings_normalize: boolean({ default: false }),
  performance_config_latency: string(),
  batch_bucket_prefix: string({ custom_validator: forJobsOnly }),
  batch_role_arn: string({ custom_validator: forJobsOnly }),
  video_output_s3_uri: string({ custom_validator: forJobsOnly }),
});

/**
 * Amazon Bedrock's Converse, which speaks one dialect with the models of all makers, and InvokeModel for embeddings:
 * https://docs.aws.amazon.com/bedrock/latest/APIReference/API_Operations_Amazon_Bedrock_Runtime.html
 */
export const bedrock = defineProvider({
  name: 'bedrock',
  options: { bedrock: bedrockOptions },
  auth: {
    aws_access_key_id: string({ referenceable: true, encrypted: true }),
    aws_secret_access_key: string({ referenceable: true, encrypted: true }),
  },
  checks: [
    {
      conditional: {
        if_field: 'model.provider',
        if_match: { one_of: ['bedrock'] },
        then_field: 'auth.allow_override',
        then_match: { eq: false },
        then_err: 'bedrock and gemini only support auth.allow_override = false',
      },
    },
  ],

  model({ options }) {
    const { bedrock: own } = options;
    const { named, origin, urlOf } = compileUrls(options, awsRegion(own?.aws_region));
    const latency = own?.performance_config_latency ?? null;
    const normalize = own?.embeddings_normalize ?? null;

    const chat: Translation<ChatRequest, ChatResponse, ChatEvent> = {
      dialect: 'own',
      endpoint: ({ model, stream }) => ({ url: stream ? streamed(urlOf(model, 'converse')) : urlOf(model, 'converse') }),
      request: request => toConverse(request, latency),
      response: fromConverse,
      streamType: 'application/vnd.amazon.eventstream',
      stream: () => ({ decode: decodeAwsEvents(), translate: translateStream() }),
      error: (_, body) => saidBy(body as AwsError),
    };
    return {
      chat,
      completions: completionsOverChat('bedrock', chat),
      embeddings: {
        dialect: 'own',
        endpoint: ({ model }) => ({ url: urlOf(model, 'invoke') }),
        request: request => toEmbed(request, normalize),
        response: fromEmbed,
        stream() {
          throw new Error('embeddings are not streamed');
        },
        error: (_, body) => saidBy(body as AwsError),
      },
      // The model is in the path, and Bedrock refuses members that it does not know.
      preserve: { ...preservedCalls(named, origin), patch: () => ({ model: undefined }) },
    };
  },

  credentials(auth, { options: { bedrock: own } }) {
    // A key of Bedrock's own needs no signature: https://docs.aws.amazon.com/bedrock/latest/userguide/api-keys-use.html
    if (auth.header_name?.toLowerCase() === 'authorization') return null;
    return awsCredentials({
      service: 'bedrock',
      region: awsRegion(own?.aws_region),
      accessKeyId: auth.aws_access_key_id,
      secretAccessKey: auth.aws_secret_access_key,
      roleArn: own?.aws_assume_role_arn,
      roleSessionName: own?.aws_role_session_name,
      stsEndpoint: own?.aws_sts_endpoint_url,
    });
  },
});

/** An `upstream_url` without a path is another endpoint of the same API, such as one in a private network; with a path it is the whole URL. */
function compileUrls(options: Options, region: string) {
  const { upstream_url: given, ...rest } = options;
  const { origin = `https://bedrock-runtime.${region}.amazonaws.com`, pathname = '/' } = given == null ? {} : new URL(given);
  const named = pathname === '/' ? rest : options;
  return {
    named,
    origin,
    urlOf: (model: string, operation: string) => operationUrl(named, origin, `/model/${toSegment(model)}/${operation}`),
  };
}

const streamed = (url: string) => url.replace(/\/converse$/, '/converse-stream');

/** A model's id or ARN as one segment of a path, escaped once: an operator may have done it, since Kong does not. */
function toSegment(model: string): string {
  const name = model.includes('%') ? unescaped(model) : model;
  if (/^\.{0,2}$/.test(name)) throw new RequestFailure(400, 'no model of bedrock has such a name');
  return encodeURIComponent(name);
}

function unescaped(model: string): string {
  try {
    return decodeURIComponent(model);
  } catch {
    return model;
  }
}

/** https://docs.aws.amazon.com/bedrock/latest/APIReference/CommonErrors.html: the case of `message` differs between services. */
interface AwsError {
  readonly message?: string;
  readonly Message?: string;
  /** `com.amazon.coral.service#UnrecognizedClientException`, where it is said at all. */
  readonly __type?: string;
}

function saidBy({ message, Message, __type: type }: AwsError) {
  const code = type?.slice(type.indexOf('#') + 1);
  return { message: message ?? Message ?? '', ...(code && { code }) };
}
