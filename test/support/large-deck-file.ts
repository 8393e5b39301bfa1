import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const read = (name: string): string => readFileSync(join(import.meta.dir, '../fixtures/tls', `${name}.pem`), 'utf8');
const times = (count: number, make: (index: number) => string): string => Array.from({ length: count }, (_, index) => make(index)).join('');
/** Text as the lines of a block of YAML. */
const block = (text: string, indent: number): string => text.trimEnd().replaceAll(/^/gm, ' '.repeat(indent));

/** What the file comes to, and the variables it needs. */
export const LARGE_DECK_FILE = {
  environment: { DECK_OPENAI_KEY: 'sk-large', DECK_LOG_HOST: '127.0.0.1' },
  counts: {
    services: 64,
    routes: 160,
    plugins: 80,
    consumers: 40,
    'key-auths': 20,
    'basic-auths': 10,
    'hmac-auths': 10,
    jwts: 10,
    acls: 16,
    consumer_groups: 3,
    upstreams: 20,
    certificates: 3,
    snis: 6,
    ca_certificates: 2,
    'key-sets': 2,
    keys: 4,
    vaults: 2,
  },
  targets: 60,
} as const;

/** A file as decK's users keep it: nested and flat entries, anchors, comments, tags for all, variables, plugins at every scope. */
export const largeDeckFile = (): string => `# The gateway of several teams.
_format_version: "3.0"
_info:
  select_tags:   # every entry carries these
  - managed-by-deck
  defaults:
    service:
      retries: 3

services:
${times(64, service)}
plugins:
- name: http-log   # for everybody
  config:
    http_endpoint: "http://\${{ env "DECK_LOG_HOST" }}:9/log"
    queue: {max_batch_size: 10, max_coalescing_delay: 2.5}
${times(5, index => `- {name: file-log, instance_name: of-both-${index}, service: service-${index}, consumer: consumer-${index}, config: {path: /tmp/both.log}}\n`)}
consumer_groups:
${times(3, consumerGroup)}
consumers:
${times(40, consumer)}
upstreams:
${times(20, upstream)}
certificates:
${[certificate(0, 'certificate', 'key'), certificate(1, 'client', 'client.key'), certificate(2, 'rsa', 'rsa.key')].join('')}
ca_certificates:
- id: c0000000-0000-4000-8000-000000000000
  cert: |
${block(read('authority'), 4)}
- cert: |
${block(read('other-authority'), 4)}

key_sets:
- {name: signing, tags: [crypto]}
- name: encryption

keys:
${times(4, key)}
vaults:
- name: env
  prefix: team-secrets
  config: {prefix: TEAM_}
- {name: env, prefix: other-secrets, description: 'of another team'}
`;

function service(index: number): string {
  const routes = index % 2 === 0 ? 3 : 2;
  const tls = index % 16 === 1;
  return `# team ${index % 4}
- name: service-${index}
  ${tls ? `url: https://h${index}.example/base` : `host: h${index}.example\n  port: ${8000 + index}`}
  tags: ${index === 0 ? '&tags [production, "team: a"]' : index % 3 === 0 ? '*tags' : `[team-${index % 4}]`}
${tls ? '  ca_certificates: [c0000000-0000-4000-8000-000000000000]\n  client_certificate: {id: a0000000-0000-4000-8000-000000000000}\n' : ''}\
${index % 4 === 0 ? `  plugins:\n  - name: file-log\n    config: {path: /tmp/service-${index}.log, reopen: true}\n` : ''}\
  routes:
${times(routes, number => route(index, number))}`;
}

function route(index: number, number: number): string {
  const matches = [
    `    paths: [/s${index}/r${number}, "~/s${index}/v\\\\d+$"]`,
    `    hosts: ["*.s${index}.example", s${index}.example]\n    methods: [GET, POST]`,
    `    headers: {x-service: ["${index}"]}\n    paths:\n    - /s${index}`,
  ];
  return `  - name: route-${index}-${number}
${matches[number]}
    strip_path: ${number === 0}
${number === 1 && index % 2 === 0 ? chat() : ''}${number === 0 && index % 5 === 0 ? `    plugins:\n    - name: file-log\n      config: {path: /tmp/route-${index}.log}\n` : ''}`;
}

const chat = (): string => `    plugins:
    - name: ai-proxy
      config:
        route_type: llm/v1/chat
        auth:
          header_name: Authorization
          header_value: 'Bearer \${{ env "DECK_OPENAI_KEY" }}'
        model: {provider: openai, name: gpt-4, options: {max_tokens: 512, temperature: 1.0}}
`;

const consumerGroup = (index: number): string => `- name: group-${index}
  tags: [group]
  plugins:
  - name: file-log
    config: {path: /tmp/group-${index}.log}
`;

const consumer = (index: number): string => `- username: consumer-${index}
  custom_id: "${1000 + index}"   # text, though it is a number
  tags: *tags
${index % 2 === 0 ? `  groups:\n  - name: group-${index % 3}\n` : ''}${credentials(index)}\
${index % 4 === 0 ? `  plugins:\n  - {name: file-log, config: {path: /tmp/consumer-${index}.log}}\n` : ''}`;

/** Of one kind or another: some the gateway makes up where the file does not say, passwords it digests. */
const credentials = (index: number): string =>
  [
    `  keyauth_credentials:\n  - {key: "key of ${index}", tags: [issued]}\n  - key: other-${index}\n`,
    `  basicauth_credentials:\n  - username: basic-${index}\n    password: "pass: ${index}"\n`,
    `  hmacauth_credentials:\n  - {username: hmac-${index}, secret: secret-${index}}\n`,
    `  jwt_secrets:\n  - {key: issuer-${index}, algorithm: HS256, secret: secret-${index}}\n`,
  ][index % 4] + (index % 5 === 0 ? `  acls:\n  - group: readers\n  - {group: writers, tags: [trusted]}\n` : '');

const upstream = (index: number): string => `- name: u${index}.internal
  algorithm: ${['round-robin', 'least-connections', 'consistent-hashing'][index % 3]}
${index % 3 === 2 ? '  hash_on: header\n  hash_on_header: x-user\n' : ''}\
  healthchecks:
    active: {type: http, http_path: /health, healthy: {interval: 5, successes: 2}}
    passive: {unhealthy: {http_failures: 3, http_statuses: [500, 503]}}
  targets:
${times(3, number => `  - target: 10.0.${index}.${number}:8080\n    weight: ${100 - number}\n`)}`;

const certificate = (index: number, cert: string, privateKey: string): string => `- id: a000000${index}-0000-4000-8000-000000000000
  snis:
  - name: a${index}.example
  - {name: "*.b${index}.example"}
  cert: |
${block(read(cert), 4)}
  key: |
${block(read(privateKey), 4)}
`;

const key = (index: number): string => `- kid: "${index}"
  name: key-${index}
  set: {name: ${index % 2 === 0 ? 'signing' : 'encryption'}}
  pem:
    private_key: |
${block(read('key'), 6)}
`;
