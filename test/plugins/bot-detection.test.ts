import { afterAll, describe, expect, test } from 'bun:test';
import { botDetection } from '../../src/plugins/bot-detection.ts';
import { openRig } from '../support/behind.ts';
import { configured, openHost } from '../support/host.ts';

const rig = openRig();
afterAll(rig.close);

const status = async (agent: string, config = {}) => (await rig.ask(botDetection, config, { headers: { 'user-agent': agent } })).status;

describe('is no bot:', () => {
  test.each([
    'Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0',
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36',
    'Mozilla/5.0 (Linux; Android 9; CUBOT X19) AppleWebKit/537.36',
    'curl/8.5.0',
    'PostmanRuntime/7.36',
    'python-requests/2.31',
    'OpenAI/Python 1.40.0',
    'bot',
    '',
  ])('%s', async agent => {
    expect(await status(agent)).toBe(200);
  });
});

describe('is a bot:', () => {
  test.each([
    'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)',
    'Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)',
    'Mozilla/5.0 (compatible; Baiduspider/2.0)',
    'Mozilla/5.0 (compatible; YandexBot/3.0)',
    'Mozilla/5.0 (compatible; Yahoo! Slurp)',
    'facebookexternalhit/1.1 (+http://www.facebook.com)',
    'Twitterbot/1.0',
    'Pingdom.com_bot_version_1.4',
    'Mozilla/5.0 Google (+https://developers.google.com/+/web/snippet/)',
    'Scrapy/2.11 (+https://scrapy.org)',
    'ia_archiver',
    'archive.is.org_bot',
    'Apache-HttpClient/4.5',
    'Python-urllib/3.11',
    'AnyOne Indexer 3',
    'Mozilla/4.0 (compatible; MSIE 6.0b; Windows; MSIECrawler)',
    'Mozilla/5.0 /Foobot-7',
    'Grub/1',
    'my SpIdEr',
    'somebody scrapes',
    'GoCrAWLer',
    'AhrefsBot/7.0',
    '  bingbot  ',
  ])('%s', async agent => {
    expect(await status(agent)).toBe(403);
  });
});

test('a bot is told so', async () => {
  const { text, sent } = await rig.ask(botDetection, {}, { headers: { 'user-agent': 'bingbot/2.0' } });
  expect(JSON.parse(text)).toEqual({ message: 'Forbidden', request_id: expect.any(String) });
  expect(sent).toBeUndefined();
});

describe('the configuration', () => {
  test.each<[string, object, string, number]>([
    ['allows a bot', { allow: ['Googlebot'] }, 'Googlebot/2.1', 200],
    ['allows no other', { allow: ['Googlebot'] }, 'bingbot/2.0', 403],
    ['denies what is no bot', { deny: ['curl'] }, 'curl/8', 403],
    ['minds case', { deny: ['curl'] }, 'CURL/8', 200],
    ['has patterns', { deny: ['^(?i)curl/[78]\\b'] }, 'Curl/8.1', 403],
    ['has patterns with ends', { deny: ['^curl$'] }, 'curl/8', 200],
    ['allows what it denies', { allow: ['curl/8'], deny: ['curl'] }, 'curl/8', 200],
  ])('%s', async (_, config, agent, wanted) => {
    expect(await status(agent, config)).toBe(wanted);
  });
});

describe('a name', () => {
  const { access } = configured(botDetection, {}, openHost().host);
  const judge = (agent: string) => {
    const request = new Request('http://gateway.test/', { headers: { 'user-agent': agent } });
    try {
      return access?.({ request } as never) ?? 'passes';
    } catch (error) {
      return (error as Error).message;
    }
  };

  test.each([
    ['of a bot', 'bingbot', 'Forbidden'],
    ['of none', 'curl', 'passes'],
    ['that is long', 'x'.repeat(1000), 'passes'],
    ['of a bot that says so where nobody looks any more', `${'x'.repeat(2048)} bingbot`, 'passes'],
    ['of a bot that is long', `bingbot ${'x'.repeat(60_000)}`, 'Forbidden'],
  ])('%s is judged alike the second time', (_, agent, verdict) => {
    expect([judge(agent), judge(agent)]).toEqual([verdict, verdict]);
  });

  test.each(['archive', 'Microsoft ', 'Google', 'MSIE 6.0;', '/AbAbAb', 'Accoona-AAA', 'Yahooa'])('of nothing but %s is judged', piece => {
    expect(judge(piece.repeat(Math.floor(60_000 / piece.length)))).toBe('passes');
  });
});

test.each([
  ['a pattern that is none', { deny: ['('] }, 'not a valid regex: ('],
  ['an allowed pattern that is none', { allow: ['[a'] }, 'not a valid regex: [a'],
  ['a list that is none', { allow: 'curl' }, 'expected an array'],
])('refuses %s', (_, config, message) => {
  expect(() => configured(botDetection, config, openHost().host)).toThrow(message);
});
