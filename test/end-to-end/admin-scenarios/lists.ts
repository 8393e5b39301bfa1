import { expect } from 'bun:test';
import { invalidSize, invalidTags, names, row } from './answers.ts';
import { get, ID, type List, OTHER_ID, post, remove, type Step, type Table } from './scenario.ts';

const SERVICES: readonly Step[] = [
  post('/services', { name: 'a', host: 'h', tags: ['red', 'round'] }, 201),
  post('/services', { name: 'b', host: 'h', tags: ['red', 'square'] }, 201),
  post('/services', { name: 'c', host: 'h', tags: ['blue', 'round'] }, 201),
  post('/services', { name: 'd', host: 'h' }, 201),
  post('/services', { name: 'e', host: 'h', tags: ['grün', 'two words'] }, 201),
];
const nextPage = ({ next }: List): string => next;
const page =
  (count: number, more: boolean) =>
  ({ data, next, offset }: { data: unknown[]; next: string | null; offset?: string }): void => {
    expect([data.length, next !== null, offset !== undefined]).toEqual([count, more, more]);
  };
const firstOf = (path: string): Step => get(path, 200, page(2, true));

export const lists: Table = {
  'pages of any size': [
    ...SERVICES,
    get('/services', 200, names('name', 'a', 'b', 'c', 'd', 'e')),
    firstOf('/services?size=2'),
    get(nextPage, 200, page(2, true)),
    get(nextPage, 200, page(1, false)),
    get('/services?size=5', 200, page(5, false)),
    get('/services?size=1000', 200, page(5, false)),
    get('/services?size=1', 200, page(1, true)),
  ],
  'what is inserted or deleted meanwhile moves no page': [
    post('/services', { id: '10000000-0000-4000-8000-000000000000', name: 'a', host: 'h' }, 201),
    post('/services', { id: '20000000-0000-4000-8000-000000000000', name: 'b', host: 'h' }, 201),
    post('/services', { id: '30000000-0000-4000-8000-000000000000', name: 'c', host: 'h' }, 201),
    post('/services', { id: '40000000-0000-4000-8000-000000000000', name: 'd', host: 'h' }, 201),
    post('/services', { id: '50000000-0000-4000-8000-000000000000', name: 'e', host: 'h' }, 201),
    firstOf('/services?size=2'),
    post('/services', { id: '00000000-0000-4000-8000-000000000000', name: 'before', host: 'h' }, 201),
    post('/services', { id: '25000000-0000-4000-8000-000000000000', name: 'between', host: 'h' }, 201),
    remove('/services/a'),
    remove('/services/d'),
    get(nextPage, 200, page(2, true)),
    get(nextPage, 200, names('name', 'e')),
    get('/services', 200, names('name', 'before', 'between', 'b', 'c', 'e')),
  ],
  'sizes and offsets that are none': [
    get('/services?size=0', 400, invalidSize('size must be an integer between 1 and 1000')),
    get('/services?size=1001', 400, invalidSize('size must be an integer between 1 and 1000')),
    get('/services?size=-1', 400, invalidSize('size must be an integer between 1 and 1000')),
    get('/services?size=1.5', 400, invalidSize('size must be an integer between 1 and 1000')),
    get('/services?size=many', 400, invalidSize('size must be a number')),
    get('/routes?size=many', 400, invalidSize('size must be a number')),
    get('/services?offset=!!!', 400, { message: "'!!!' is not a valid offset: bad base64 encoding", name: 'invalid offset', code: 7 }),
  ],
  'tags that all must be there': [
    ...SERVICES,
    get('/services?tags=red', 200, names('name', 'a', 'b')),
    get('/services?tags=red,round', 200, names('name', 'a')),
    get('/services?tags=round,red', 200, names('name', 'a')),
    get('/services?tags=red,blue', 200, names('name')),
    get('/services?tags=nothing', 200, names('name')),
    get('/services?tags=gr%C3%BCn', 200, names('name', 'e')),
    get('/services?tags=two%20words', 200, names('name', 'e')),
    get('/routes?tags=red', 200, names('name')),
  ],
  'tags of which one must be there': [
    ...SERVICES,
    get('/services?tags=red/blue', 200, names('name', 'a', 'b', 'c')),
    get('/services?tags=square/blue', 200, names('name', 'b', 'c')),
    get('/services?tags=nothing/blue', 200, names('name', 'c')),
    get('/services?tags=red/round&size=2', 200, page(2, true)),
    get(nextPage, 200, page(1, false)),
  ],
  'filters that are none': [
    get('/services?tags=a,b/c', 400, invalidTags('invalid filter syntax')),
    get('/services?tags=a/b,c', 400, invalidTags('invalid filter syntax')),
    get('/services?tags=,', 400, invalidTags('invalid filter syntax')),
    get('/services?tags=a,b,c,d,e,f', 400, invalidTags('cannot query more than 5 tags')),
    get('/services?tags=a/b/c/d/e/f', 400, invalidTags('cannot query more than 5 tags')),
    get('/consumers?tags=a,b/c', 400, invalidTags('invalid filter syntax')),
  ],
  'pages below a row': [
    post('/services', { id: ID, name: 's', host: 'h' }, 201),
    post('/services/s/routes', { name: 'r1', paths: ['/1'] }, 201),
    post('/services/s/routes', { name: 'r2', paths: ['/2'] }, 201),
    post('/services/s/routes', { name: 'r3', paths: ['/3'] }, 201),
    post('/routes', { name: 'r4', paths: ['/4'] }, 201),
    get('/services/s/routes?size=2', 200, row({ next: expect.stringMatching(new RegExp(`^/services/${ID}/routes\\?`)) })),
    get(nextPage, 200, page(1, false)),
    get('/services/s/routes', 200, names('name', 'r1', 'r2', 'r3')),
    get('/services/s/routes?size=0', 400, invalidSize('size must be an integer between 1 and 1000')),
    remove('/routes/r1'),
    get(`/services/${ID}/routes`, 200, names('name', 'r2', 'r3')),
  ],
  'who carries which tag': [
    post('/services', { id: ID, name: 's', host: 'h', tags: ['t1', 't2'] }, 201),
    post('/consumers', { id: OTHER_ID, username: 'c', tags: ['t1'] }, 201),
    get('/tags', 200, (answer: { data: object[]; next: null }) => {
      const expected = [
        { entity_name: 'services', entity_id: ID, tag: 't1' },
        { entity_name: 'services', entity_id: ID, tag: 't2' },
        { entity_name: 'consumers', entity_id: OTHER_ID, tag: 't1' },
      ];
      expect(answer).toEqual({ data: expect.arrayContaining(expected), next: null });
      expect(answer.data).toHaveLength(3);
    }),
    get('/tags/t1', 200, names('entity_id', ID, OTHER_ID)),
    get('/tags/t2', 200, names('entity_id', ID)),
    get('/tags/t3', 200, names('entity_id')),
    get('/tags?size=2', 200, page(2, true)),
    get(nextPage, 200, page(1, false)),
    remove('/consumers/c'),
    get('/tags/t1', 200, names('entity_id', ID)),
    { method: 'POST', path: '/tags', status: 405, answer: { message: 'Method not allowed' } },
    { method: 'OPTIONS', path: '/tags', status: 204, headers: { allow: 'GET, HEAD, OPTIONS' } },
  ],
};
