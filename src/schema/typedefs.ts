import { integer, set, string } from './field.ts';

export const PROTOCOLS = ['grpc', 'grpcs', 'http', 'https', 'tcp', 'tls', 'tls_passthrough', 'udp'] as const;

export const uuid = string({ uuid: true, auto: true });
export const timestamp = integer({ timestamp: true, auto: true });
export const port = integer({ between: [0, 65535] });
export const name = string({ unique: true });
export const tags = set(string({ required: true }));
