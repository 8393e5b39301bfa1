import { boolean, record, string } from '../../schema/field.ts';

// What Kong 3.9 has for vendors that are not here. decK writes out every field of a plugin, those of other vendors with the
// value that asks for nothing: that value is taken, so that such files work, and no other is.

const unset = (vendor: string) => ({ eq: null, err: `${vendor} is not supported: leave it out` }) as const;
const off = (vendor: string) => ({ default: false, eq: false, err: `${vendor} is not supported: leave it false` }) as const;

export const otherAuth = {
  gcp_use_service_account: boolean(off('gemini')),
  gcp_service_account_json: string({ ...unset('gemini'), encrypted: true }),
  aws_access_key_id: string({ ...unset('bedrock'), encrypted: true }),
  aws_secret_access_key: string({ ...unset('bedrock'), encrypted: true }),
  azure_use_managed_identity: boolean(off('azure')),
  azure_client_id: string(unset('azure')),
  azure_client_secret: string({ ...unset('azure'), encrypted: true }),
  azure_tenant_id: string(unset('azure')),
};

const AZURE_API_VERSION = '2023-05-15';

export const otherOptions = {
  anthropic_version: string(unset('anthropic')),
  azure_instance: string(unset('azure')),
  azure_api_version: string({ default: AZURE_API_VERSION, eq: AZURE_API_VERSION, err: 'azure is not supported: leave it out' }),
  azure_deployment_id: string(unset('azure')),
  llama2_format: string(unset('llama2')),
  mistral_format: string(unset('mistral')),
  gemini: record({}, unset('gemini')),
  bedrock: record({}, unset('bedrock')),
  huggingface: record({}, unset('huggingface')),
};
