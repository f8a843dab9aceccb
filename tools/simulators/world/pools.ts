/** Words the company's data is made of. All invented; names are common ones, drawn at random. */
const words = (text: string): readonly string[] => text.trim().split(/\s*\|\s*/);

export const FIRST_NAMES =
  words(`Ada|Alan|Amélie|Anke|Arjun|Béatrice|Ben|Carla|Chen|Chloé|Clara|Dario|Deniz|Dmitri|Elena|
  Emeka|Émile|Erik|Fatima|Finn|Freya|Gareth|Grace|Hanna|Hassan|Hélène|Ines|Ivo|Jamal|Jana|Joao|Jürgen|Kai|Katya|Kofi|Lars|
  Leila|Lina|Luca|Maja|Marek|Mei|Milo|Nadia|Nils|Noor|Olga|Omar|Paula|Pavel|Priya|Quinn|Rania|Renée|Rosa|Ruth|Samir|Sören|
  Tariq|Tess|Uma|Viktor|Wanda|Xenia|Yara|Yusuf|Zoë|Zofia`);
export const LAST_NAMES =
  words(`Abara|Albrecht|Andersen|Baker|Bauer|Bianchi|Brown|Castro|Chevalier|Cohen|D'Angelo|Da Silva|
  Dubois|Eriksson|Fischer|Fontaine|García|Garnier|Gomez|Haddad|Hansen|Hoffmann|Hughes|Ivanov|Jansen|Jones|Kaya|Keller|Khan|
  Kowalski|Laurent|Lee|Lindqvist|MacLeod|Marín|Mbeki|Meyer|Mori|Müller|Nakamura|Novák|O'Brien|Okafor|Olsen|Patel|Pereira|
  Petit|Quist|Rahman|Reyes|Rossi|Roux|Sato|Schmidt|Schröder|Shah|Smith-Jones|Sørensen|Tanaka|Thompson|Türk|Ueda|van der Berg|
  Vasquez|Vogel|Walsh|Weiß|Wright|Xu|Yilmaz|Zhang|Zieliński`);
export const COMPANY_FIRST =
  words(`Alder|Amber|Arctic|Atlas|Aurora|Beacon|Birch|Blue Harbor|Bright|Cedar|Cobalt|Copper|Crest|
  Delta|Ember|Falcon|Fern|Garnet|Granite|Harbor|Heron|Iron Gate|Juniper|Keystone|Lark|Linden|Maple|Meridian|Nimbus|North Pier|
  Oak & Iron|Onyx|Orchid|Pinnacle|Quartz|Raven|Redwood|River|Sable|Silver|Sparrow|Stone|Summit|Tidal|Umber|Vale|Willow|Zephyr`);
export const COMPANY_SECOND =
  words(`Analytics|Bikes|Capital|Catering|Ceramics|Dynamics|Energy|Foods|Freight|Glass|Health|
  Hotels|Instruments|Labs|Logistics|Marine|Media|Optics|Paper|Partners|Robotics|Software|Textiles|Tools`);
export const COMPANY_FORMS: Readonly<Record<string, readonly string[]>> = {
  US: ['Inc.', 'LLC', 'Corp.'],
  GB: ['Ltd', 'plc', 'LLP'],
  DE: ['GmbH', 'AG', 'GmbH & Co. KG'],
  FR: ['SA', 'SARL', 'SAS'],
};
export const TITLES =
  words(`Account Manager|Buyer|CEO|CFO|Chief of Staff|Data Engineer|Director, Sales|Facilities Lead|Geschäftsführer|
  Head of Procurement|Office Manager|Operations Analyst|Owner|Plant Manager|Product Lead|Responsable des achats|Sales Engineer|
  Senior Buyer|VP Engineering|VP, Marketing`);
export const DEPARTMENTS = words(
  'Engineering|Finance|Human Resources|IT|Legal|Marketing|Operations|Procurement|Sales|Support',
);
export const INDUSTRIES = words(
  'Agriculture|Banking|Construction|Education|Energy|Healthcare|Hospitality|Manufacturing|Media|Retail|Technology|Transportation',
);
export const LEAD_SOURCES = words('Web|Phone Inquiry|Partner Referral|Purchased List|Trade Show|Other');
export const STREETS: Readonly<Record<string, readonly string[]>> = {
  US: ['Main St', 'Oak Ave', 'Market St', 'Harbor Blvd'],
  GB: ['High Street', 'Mill Lane', 'Station Road'],
  DE: ['Hauptstraße', 'Lindenallee', 'Am Markt'],
  FR: ['rue de la Paix', 'avenue Foch', 'quai du Port'],
};
export const CITIES: Readonly<Record<string, readonly (readonly [city: string, state: string | null])[]>> = {
  US: [
    ['Los Angeles', 'CA'],
    ['Austin', 'TX'],
    ['Boston', 'MA'],
    ['Denver', 'CO'],
    ['Seattle', 'WA'],
  ],
  GB: [
    ['London', null],
    ['Leeds', 'West Yorkshire'],
    ['Bristol', null],
    ['Glasgow', 'Scotland'],
  ],
  DE: [
    ['Berlin', null],
    ['München', 'Bayern'],
    ['Köln', 'Nordrhein-Westfalen'],
    ['Hamburg', null],
  ],
  FR: [
    ['Paris', null],
    ['Lyon', 'Rhône'],
    ['Marseille', null],
    ['Lille', 'Nord'],
  ],
};
/** A country as people fill it in. */
export const COUNTRY_NAMES: Readonly<Record<string, readonly string[]>> = {
  US: ['United States', 'USA', 'US', 'United States'],
  GB: ['United Kingdom', 'UK', 'GB', 'England'],
  DE: ['Germany', 'Deutschland', 'DE', 'Germany'],
  FR: ['France', 'France', 'FR', 'FRANCE'],
};
/** Text that breaks naive readers: quotes, separators, line breaks, other scripts, characters outside the basic plane. */
export const AWKWARD = [
  'He said "call me", twice',
  'Line one\nLine two',
  'Windows\r\nline ends',
  'comma, semicolon; tab\there',
  '"quoted"',
  '""',
  'ends with a quote"',
  'Łódź – naïve façade',
  '東京支社 営業部',
  'مدير المبيعات',
  'emoji 🚀 and 👩‍💻',
  'e\u0301 decomposed',
  "O'Neil \\ backslash",
  '<b>not html</b> & more',
  '=1+1',
  '#N/A',
  'null',
  '0012',
  '1e5',
  'true',
] as const;
export const SUBJECTS = words(
  'Call|Follow up|Send proposal|Intro call|Renewal check-in|Demo|Contract review|Lunch, maybe|Re: "pricing"',
);
export const STAGES = words(
  'Prospecting|Qualification|Needs Analysis|Proposal/Price Quote|Negotiation/Review|Closed Won|Closed Lost',
);
export const REGIONS = words('North|South|East|West');
export const LINES =
  words(`Hello, thank you for taking the call|Sure, what is it about?|We wanted to talk about the renewal|
  Please send me the offer by Friday|I will, and the new price list too|Great, talk soon`);
