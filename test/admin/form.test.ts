import { describe, expect, test } from 'bun:test';
import { parseForm, readForm } from '../../src/admin/form.ts';
import { parseUrlEncoded } from '../../src/admin/url-encoded.ts';
import { array, boolean, foreign, integer, json, map, number, record, set, string } from '../../src/schema/field.ts';

const schema = record({
  name: string(),
  enabled: boolean(),
  retries: integer(),
  temperature: number(),
  paths: array(string()),
  tags: set(string()),
  ports: array(integer()),
  headers: map(string(), array(string())),
  labels: map(string(), string()),
  service: foreign('services'),
  notes: json(),
  sources: set(record({ ip: string(), port: integer() })),
  config: record({
    route_type: string(),
    auth: record({ header_name: string(), header_value: string() }),
    model: record({ provider: string(), options: record({ max_tokens: integer(), temperature: number() }) }),
    add: record({ headers: array(string()) }),
  }),
});

const read = (form: string) => readForm(parseForm(parseUrlEncoded(form)), schema);

describe('a form reads as the JSON it stands for', () => {
  test.each<[string, unknown]>([
    ['name=x', { name: 'x' }],
    ['', {}],
    ['name=', { name: null }],
    ['name=a%20b+c', { name: 'a b c' }],
    ['name=1', { name: '1' }],
    ['enabled=true', { enabled: true }],
    ['enabled=false', { enabled: false }],
    ['enabled=1', { enabled: '1' }],
    ['enabled=', { enabled: null }],
    ['retries=5', { retries: 5 }],
    ['retries=-5', { retries: -5 }],
    ['retries=0x10', { retries: 16 }],
    ['retries=1.5', { retries: 1.5 }],
    ['retries=five', { retries: 'five' }],
    ['retries=%20', { retries: ' ' }],
    ['retries=-0x10', { retries: '-0x10' }],
    ['retries=1e999', { retries: '1e999' }],
    ['retries=Infinity', { retries: 'Infinity' }],
    ['temperature=1.0', { temperature: 1 }],
    ['temperature=.5', { temperature: 0.5 }],
    ['temperature=1e-3', { temperature: 0.001 }],
    ['paths=/a', { paths: ['/a'] }],
    ['paths=/a&paths=/b', { paths: ['/a', '/b'] }],
    ['paths[]=/a', { paths: ['/a'] }],
    ['paths[]=/a&paths[]=/b', { paths: ['/a', '/b'] }],
    ['paths%5B%5D=/a', { paths: ['/a'] }],
    ['paths[2]=/b&paths[1]=/a', { paths: ['/a', '/b'] }],
    ['paths[10]=/j&paths[9]=/i', { paths: ['/i', '/j'] }],
    ['paths[999999999]=/a', { paths: ['/a'] }],
    ['paths=/a&paths[]=/b', { paths: ['/a', '/b'] }],
    ['paths=', { paths: null }],
    ['paths[]=', { paths: [] }],
    ['paths[]=/a&paths[]=', { paths: ['/a', null] }],
    ['paths.x=/a', { paths: { x: '/a' } }],
    ['ports[]=80&ports[]=443', { ports: [80, 443] }],
    ['ports=80', { ports: [80] }],
    ['tags=a,b', { tags: ['a,b'] }],
    ['headers.x-a=1', { headers: { 'x-a': ['1'] } }],
    ['headers.x-a[]=1&headers.x-a[]=2', { headers: { 'x-a': ['1', '2'] } }],
    ['headers[x.b]=1', { headers: { 'x.b': ['1'] } }],
    ['labels.200=ok', { labels: { 200: 'ok' } }],
    ['labels[200]=ok', { labels: { 200: 'ok' } }],
    ['labels=x', { labels: 'x' }],
    ['service.id=1&service.name=n', { service: { id: '1', name: 'n' } }],
    ['service=', { service: null }],
    ['sources[1].ip=1.2.3.4&sources[1].port=80&sources[2].ip=::1', { sources: [{ ip: '1.2.3.4', port: 80 }, { ip: '::1' }] }],
    ['sources[].ip=1.2.3.4&sources[].port=80', { sources: [{ ip: '1.2.3.4', port: 80 }] }],
    ['config.add.headers[]=x-a:1&config.add.headers[]=x-b:2', { config: { add: { headers: ['x-a:1', 'x-b:2'] } } }],
    ['config[model][provider]=openai', { config: { model: { provider: 'openai' } } }],
    ['config.model.options.max_tokens=512', { config: { model: { options: { max_tokens: 512 } } } }],
    ['config.model.options.max_tokens=', { config: { model: { options: { max_tokens: null } } } }],
    ['config=', { config: null }],
    ['config=x', { config: 'x' }],
    ['config=x&config.auth.header_name=y', { config: ['x', { auth: { header_name: 'y' } }] }],
    ['name=a&name=b', { name: ['a', 'b'] }],
    ['nope=', { nope: '' }],
    ['nope.a=1&nope.b[]=2', { nope: { a: '1', b: ['2'] } }],
    ['nope[1]=a&nope[2]=b', { nope: ['a', 'b'] }],
    ['.name=x', { '.name': 'x' }],
    ['name.=x', { 'name.': 'x' }],
    ['config..auth...header_name=x', { config: { auth: { header_name: 'x' } } }],
    ['paths%255B%255D=/a', { paths: ['/a'] }],
    ['enabled', { enabled: true }],
    ['name', { name: true }],
    ['nope', { nope: true }],
    ['&&name=x&', { name: 'x' }],
    ['name=a=b', { name: 'a=b' }],
    ['name=100%', { name: '100%' }],
    ['name=%zz%41', { name: '%zzA' }],
    ['name=j%C3%B6rg%20%F0%9F%A6%8D', { name: 'jörg 🦍' }],
    ['name=jörg', { name: 'jörg' }],
    ['service.name=', { service: { name: null } }],
    [
      'sources[1].ip=a&sources[2].ip=b&sources[1].port=1&sources[2].port=2',
      {
        sources: [
          { ip: 'a', port: 1 },
          { ip: 'b', port: 2 },
        ],
      },
    ],
    ['sources[1][ip]=a&sources[1][port]=1', { sources: [{ ip: 'a', port: 1 }] }],
    ['headers.X-Foo=bar&headers[x.y.z][]=1', { headers: { 'X-Foo': ['bar'], 'x.y.z': ['1'] } }],
    ['notes={"a":[1]}', { notes: { a: [1] } }],
    ['notes=[]', { notes: [] }],
    ['notes=1', { notes: '1' }],
    ['notes={', { notes: '{' }],
    ['notes=', { notes: null }],
    ['a[b=x', { 'a[b': 'x' }],
    ['[1]=x', { '[1]': 'x' }],
  ])('%s', (form, expected) => {
    expect(read(form)).toEqual(expected as Record<string, unknown>);
  });
});

test('the keys of the AI Proxy walk-through', () => {
  const lines = [
    'name=ai-proxy',
    'config.route_type=llm/v1/chat',
    'config.auth.header_name=Authorization',
    'config.auth.header_value=Bearer <openai_key>',
    'config.model.provider=openai',
    'config.model.options.max_tokens=512',
    'config.model.options.temperature=1.0',
  ];
  expect(read(lines.join('&'))).toEqual({
    name: 'ai-proxy',
    config: {
      route_type: 'llm/v1/chat',
      auth: { header_name: 'Authorization', header_value: 'Bearer <openai_key>' },
      model: { provider: 'openai', options: { max_tokens: 512, temperature: 1 } },
    },
  });
  expect(read('name=openai-chat&paths[]=~/openai-chat$')).toEqual({ name: 'openai-chat', paths: ['~/openai-chat$'] });
});

describe('keys meant to do harm are members like any other', () => {
  test.each(['__proto__.polluted=1', 'config.__proto__.polluted=1', 'constructor.prototype.polluted=1', 'labels.__proto__=1'])(
    '%s',
    form => {
      const value = read(form);
      expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
      expect(JSON.stringify(value)).toContain(form.includes('constructor') ? 'constructor' : '__proto__');
      expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    },
  );

  test('a key of a million brackets that never close is one unknown name', () => {
    const key = '%5B'.repeat(1_000_000);
    expect(Object.keys(read(`${key.replaceAll('%', '%25')}=1`))).toEqual([key]);
  });

  test('a key of a million segments is one unknown name', () => {
    const key = `a${'.a'.repeat(1_000_000)}`;
    expect(Object.keys(read(`${key}=1`))).toEqual([key]);
  });
});
