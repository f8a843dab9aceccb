/**
 * Country names as people type them, to ISO 3166 alpha-2. The names come from the Unicode data in the runtime, in the
 * languages below; the tables hold what it lacks. What could be two countries is none.
 */
import { getCountries, isSupportedCountry } from 'libphonenumber-js/max';
import { Recent } from './recent.ts';

const LANGUAGES = [
  'en',
  'de',
  'fr',
  'es',
  'it',
  'pt',
  'nl',
  'sv',
  'da',
  'nb',
  'fi',
  'pl',
  'cs',
  'tr',
  'ja',
  'ko',
  'zh',
  'ru',
];

const ALIASES: Readonly<Record<string, string>> = {
  US: 'U S|U S A|US of A|United States of America|The United States|America|Estados Unidos de América|EEUU|EE UU|EUA|Vereinigte Staaten von Amerika',
  GB: 'UK|U K|Great Britain|Britain|England|Scotland|Wales|Northern Ireland|United Kingdom of Great Britain and Northern Ireland|Grossbritannien|Großbritannien|Grande Bretagne|Gran Bretaña|Gran Bretagna',
  AE: 'UAE|U A E|Emirates',
  BA: 'Bosnia|Bosnia Herzegovina',
  BO: 'Plurinational State of Bolivia',
  BN: 'Brunei Darussalam',
  BR: 'Brasil',
  BY: 'Belarus',
  CD: 'Democratic Republic of the Congo|DR Congo|DRC',
  CG: 'Republic of the Congo|Congo Brazzaville',
  CH: 'Schweiz Suisse Svizzera',
  CI: 'Ivory Coast',
  CN: "People's Republic of China|PR China|PRC|Mainland China",
  CV: 'Cape Verde',
  CZ: 'Czech Republic|Tschechische Republik',
  DE: 'Federal Republic of Germany|BRD',
  FM: 'Micronesia',
  GM: 'The Gambia',
  HK: 'Hong Kong|Hong Kong SAR',
  IE: 'Republic of Ireland|Eire|Éire',
  IR: 'Islamic Republic of Iran',
  KP: "Democratic People's Republic of Korea",
  KR: 'Republic of Korea|Korea Republic of|Korea South|S Korea',
  LA: 'Lao PDR|Laos',
  MD: 'Republic of Moldova',
  MK: 'Macedonia|FYROM',
  MM: 'Burma',
  MO: 'Macau|Macao',
  MX: 'Mexico|México|Estados Unidos Mexicanos',
  NL: 'Holland|The Netherlands',
  PH: 'The Philippines',
  PS: 'Palestine|State of Palestine',
  RU: 'Russian Federation',
  SK: 'Slovak Republic',
  SY: 'Syrian Arab Republic',
  SZ: 'Swaziland',
  TL: 'East Timor',
  TR: 'Turkey|Türkiye',
  TW: 'Taiwan|Taiwan ROC',
  TZ: 'United Republic of Tanzania',
  VA: 'Vatican|Holy See',
  VE: 'Bolivarian Republic of Venezuela',
  VN: 'Viet Nam',
};

/** Alpha-2 and alpha-3 codes, of every country with a calling code. */
const ALPHA_3 =
  'AC:ASC AD:AND AE:ARE AF:AFG AG:ATG AI:AIA AL:ALB AM:ARM AO:AGO AR:ARG AS:ASM AT:AUT AU:AUS AW:ABW AX:ALA AZ:AZE BA:BIH ' +
  'BB:BRB BD:BGD BE:BEL BF:BFA BG:BGR BH:BHR BI:BDI BJ:BEN BL:BLM BM:BMU BN:BRN BO:BOL BQ:BES BR:BRA BS:BHS BT:BTN BW:BWA ' +
  'BY:BLR BZ:BLZ CA:CAN CC:CCK CD:COD CF:CAF CG:COG CH:CHE CI:CIV CK:COK CL:CHL CM:CMR CN:CHN CO:COL CR:CRI CU:CUB CV:CPV ' +
  'CW:CUW CX:CXR CY:CYP CZ:CZE DE:DEU DJ:DJI DK:DNK DM:DMA DO:DOM DZ:DZA EC:ECU EE:EST EG:EGY EH:ESH ER:ERI ES:ESP ET:ETH ' +
  'FI:FIN FJ:FJI FK:FLK FM:FSM FO:FRO FR:FRA GA:GAB GB:GBR GD:GRD GE:GEO GF:GUF GG:GGY GH:GHA GI:GIB GL:GRL GM:GMB GN:GIN ' +
  'GP:GLP GQ:GNQ GR:GRC GT:GTM GU:GUM GW:GNB GY:GUY HK:HKG HN:HND HR:HRV HT:HTI HU:HUN ID:IDN IE:IRL IL:ISR IM:IMN IN:IND ' +
  'IO:IOT IQ:IRQ IR:IRN IS:ISL IT:ITA JE:JEY JM:JAM JO:JOR JP:JPN KE:KEN KG:KGZ KH:KHM KI:KIR KM:COM KN:KNA KP:PRK KR:KOR ' +
  'KW:KWT KY:CYM KZ:KAZ LA:LAO LB:LBN LC:LCA LI:LIE LK:LKA LR:LBR LS:LSO LT:LTU LU:LUX LV:LVA LY:LBY MA:MAR MC:MCO MD:MDA ' +
  'ME:MNE MF:MAF MG:MDG MH:MHL MK:MKD ML:MLI MM:MMR MN:MNG MO:MAC MP:MNP MQ:MTQ MR:MRT MS:MSR MT:MLT MU:MUS MV:MDV MW:MWI ' +
  'MX:MEX MY:MYS MZ:MOZ NA:NAM NC:NCL NE:NER NF:NFK NG:NGA NI:NIC NL:NLD NO:NOR NP:NPL NR:NRU NU:NIU NZ:NZL OM:OMN PA:PAN ' +
  'PE:PER PF:PYF PG:PNG PH:PHL PK:PAK PL:POL PM:SPM PR:PRI PS:PSE PT:PRT PW:PLW PY:PRY QA:QAT RE:REU RO:ROU RS:SRB RU:RUS ' +
  'RW:RWA SA:SAU SB:SLB SC:SYC SD:SDN SE:SWE SG:SGP SH:SHN SI:SVN SJ:SJM SK:SVK SL:SLE SM:SMR SN:SEN SO:SOM SR:SUR SS:SSD ' +
  'ST:STP SV:SLV SX:SXM SY:SYR SZ:SWZ TC:TCA TD:TCD TG:TGO TH:THA TJ:TJK TK:TKL TL:TLS TM:TKM TN:TUN TO:TON TR:TUR TT:TTO ' +
  'TV:TUV TW:TWN TZ:TZA UA:UKR UG:UGA US:USA UY:URY UZ:UZB VA:VAT VC:VCT VE:VEN VG:VGB VI:VIR VN:VNM VU:VUT WF:WLF WS:WSM ' +
  'XK:XKX YE:YEM YT:MYT ZA:ZAF ZM:ZMB ZW:ZWE';

/** Names of two countries, though some language gives one of them the short name. */
const AMBIGUOUS = ['congo', 'kongo', 'korea', 'corea', 'coree', 'kore'];

const LONGEST_NAME = 80;

let names: ReadonlyMap<string, string | null> | undefined;
const recent = new Recent<string>(2_000);

/** ISO alpha-2 of a name or code in any case; null for what is blank, unknown or could be two countries. */
export function countryCode(text: string | null): string | null {
  if (text === null || text.length > LONGEST_NAME) return null;
  const known = recent.get(text);
  if (known !== undefined) return known === '' ? null : known;
  const code = lookUp(text);
  recent.set(text, code ?? '');
  return code;
}

function lookUp(text: string): string | null {
  const letters = text.trim().toUpperCase();
  if (letters.length === 2 && isSupportedCountry(letters)) return letters;
  names ??= buildNames();
  const name = simplified(text);
  return names.get(name) ?? names.get(name.replace(/^the /, '')) ?? null;
}

function buildNames(): Map<string, string | null> {
  const built = new Map<string, string | null>();
  const codes = getCountries();
  for (const language of LANGUAGES) {
    const display = new Intl.DisplayNames([language], { type: 'region', fallback: 'none' });
    for (const code of codes) add(built, display.of(code), code);
  }
  for (const pair of ALPHA_3.split(' ')) add(built, pair.slice(3), pair.slice(0, 2));
  for (const [code, aliases] of Object.entries(ALIASES)) {
    for (const alias of aliases.split('|')) built.set(simplified(alias), code);
  }
  for (const name of AMBIGUOUS) built.set(name, null);
  built.set('el', 'GR');
  return built;
}

function add(built: Map<string, string | null>, name: string | undefined, code: string): void {
  if (name === undefined) return;
  const key = simplified(name);
  const other = built.get(key);
  built.set(key, other === undefined || other === code ? code : null);
}

/** Without case, accents and punctuation: `Côte d’Ivoire` is `cote d ivoire`. */
function simplified(name: string): string {
  return name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/&/g, ' and ')
    .replace(/[^\p{L}]+/gu, ' ')
    .trim();
}
