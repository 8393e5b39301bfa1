import { compilePcreSearch } from '../lib/regex.ts';
import { RequestFailure } from '../lib/request-failure.ts';
import { array, record, string } from '../schema/field.ts';
import { noConsumer, protocolsHttp } from '../schema/typedefs.ts';
import { compilePatterns } from './patterns.ts';
import { definePlugin } from './plugin.ts';

/** The bots that Kong knows, from https://github.com/ua-parser/uap-core (Apache-2.0): names that tell a bot wherever they stand. */
const NAMES = String.raw`
  1470\.net crawler|50\.nu|8bo Crawler Bot|Aboundex|Accoona-[A-z]+-Agent|AdsBot-Google|altavista|Apache-HttpClient|AppEngine-Google|
  archive.*?\.org_bot|archiver|Ask Jeeves|[Bb]ai[Dd]u[Ss]pider|bingbot|BingPreview|blitzbot|BlogBridge|BoardReader|boitho.com-dc|BotSeer|
  Catchpoint bot|[Cc]harlotte|Checklinks|clumboot|Comodo HTTP\(S\) Crawler|Comodo-Webinspector-Crawler|ConveraCrawler|CRAWL-E|
  CrawlConvera|Daumoa|favicon|Feed Seeker Bot|findlinks|Flamingo_SearchEngine|FollowSite Bot|furlbot|Genieo|gigabot|
  GomezAgent|gonzo1|Google SketchUp|Google-HTTP-Java-Client|Googlebot|grub-client|gsa-crawler|heritrix|HiddenMarket|holmes|HooWWWer|htdig|
  http%20client|HttpMonitor|ia_archiver|ICC-Crawler|Icarus6j|ichiro|IconSurf|IlTrovatore|InfuzApp|Innovazion Crawler|InternetArchive|
  IP2[a-z]+Bot|jbot\b|JNLP|KaloogaBot|Kraken|Kurzor|larbin|LEIA|LesnikBot|Linguee Bot|LinkAider|LinkedInBot|Lite Bot|Llaut|lycos|
  Mail\.RU_Bot|masidani_bot|Mediapartners-Google|Microsoft .*? Bot|MJ12bot|mogimogi|mozDex|msnbot|msrbot|netresearch|Netvibes|NewsGator|
  ^NING|Nutch|Nymesis|ObjectsSearch|OOZBOT|Orbiter|PagePeeker|PagesInventory|PaxleFramework|Peeplo Screenshot Bot|PlantyNet_WebRobot|
  Pompos|Python-urllib|Read%20Later|Reaper|RedCarpet|Retreiver|Riddler|Rival IQ|scooter|Scrapy|Scrubby|searchsight|seekbot|
  semanticdiscovery|SEOstats|SimplePie|SimpleRSS|Simpy|SiteCon|Slurp|snappy|Speedy Spider|Squrl Java|TheUsefulbot|ThumbShotsBot|
  Thumbshots\.ru|TLSProber|TwitterBot|URL2PNG|Vagabondo|VoilaBot|^vortex|Votay bot|^voyager|WASALive.Bot|Web-sniffer|WebThumb|
  WeSEE:[A-z]|WhatWeb|WinHTTP|WIRE|WordPress|Wotbox|www\.almaden\.ibm\.com|Xenu(?:.s)? Link Sleuth|Xerka [A-z]+Bot|yacy|
  Yahoo[a-z]*Seeker|Yahoo! Slurp|Yandex\w|\bYeti|YodaoBot|YottaaMonitor|Yowedo|^Zao|ZeBot_www\.ze\.bz|ZooShot|ZyBorg
`.replaceAll(/\s*\n\s*/g, '');

/** Those that need more beside them: a version, mostly. */
const BOTS = [
  NAMES,
  String.raw`Pingdom\.com_bot_version_\d+\.\d|facebookexternalhit/\d+\.\d|Twitterbot/\d+\.\d`,
  String.raw`Google.*/\+/web/snippet|MSIE \d+\.\d+(?:[a-z]\d?)?;.* MSIECrawler`,
  String.raw`/(?:[A-z]+[Bb]ot|[A-z]+[Ss]pider|Axtaris|fetchurl|Isara|ShopSalad|Tailsweep)[ \-]\d`,
  String.raw`(?:008|Altresium|Argus|BaiduMobaider|DNSGroup|DataparkSearch|EDI|Goodzer|Grub|INGRID|Infohelfer|LOOQ|PathDefender)/\d`,
  String.raw`(?:Peew|PostPost|Steeler|VSE|WebCrunch|WebZIP|Y!J-BR[A-Z]|YahooSeeker|envolk|sproose|wminer)/\d`,
  String.raw`(?:[Aa]rchiver|[Ii]ndexer|[Ss]craper|[Bb]ot|[Ss]pider|[Cc]rawl[a-z]*)[/ ]\d`,
  // Phones by the name of CUBOT are none.
  '[Ss][Pp][Ii][Dd][Ee][Rr]|[Ss]crape|[^C][^Uu][Bb]ot|[Cc][Rr][Aa][Ww][Ll]',
];

let compiledBots: readonly ((text: string) => boolean)[] | null = null;

/** Made when first needed: a start must not wait for it. */
function bots(): readonly ((text: string) => boolean)[] {
  compiledBots ??= BOTS.map(pattern => compilePcreSearch(pattern));
  return compiledBots;
}

/** What follows in a longer name changes nothing: some patterns would take time that grows with its square. */
const LONGEST = 2048;
/** Verdicts that are kept, of names that are not longer than most. */
const MOST_KEPT = 10_000;
const LONGEST_KEPT = 512;

const patterns = array(string({ is_regex: true }), { default: [] });

/** Refuses clients that call themselves by the name of a bot. Several names in one request reach us as one. */
export const botDetection = definePlugin({
  name: 'bot-detection',
  priority: 2500,
  fields: { consumer: noConsumer, protocols: protocolsHttp },
  config: record({ allow: patterns, deny: patterns }, { required: true }),

  configure({ allow, deny }) {
    const allowed = compilePatterns(allow, 'allow');
    const denied = [...compilePatterns(deny, 'deny'), ...bots()];
    const verdicts = new Map<string, boolean>();

    return {
      access({ request }) {
        const agent = request.headers.get('user-agent');
        if (agent !== null && isRefused(agent)) throw new RequestFailure(403, 'Forbidden');
        return undefined;
      },
    };

    function isRefused(agent: string): boolean {
      const known = verdicts.get(agent);
      if (known !== undefined) return known;
      const text = agent.slice(0, LONGEST);
      const verdict = !allowed.some(matches => matches(text)) && denied.some(matches => matches(text));
      if (verdicts.size >= MOST_KEPT) verdicts.clear();
      if (agent.length <= LONGEST_KEPT) verdicts.set(agent, verdict);
      return verdict;
    }
  },
});
