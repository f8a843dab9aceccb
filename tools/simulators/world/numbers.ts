/**
 * Telephone numbers, each belonging to one party only. They lie in or next to the ranges the regulators keep for fiction
 * (US 555, UK Ofcom drama numbers, DE Bundesnetzagentur, FR ARCEP), and libphonenumber takes them as valid.
 */
export type Country = 'US' | 'GB' | 'DE' | 'FR';

export interface PhoneNumber {
  readonly country: Country;
  /** Without a plus. */
  readonly callingCode: string;
  /** Without trunk prefix, in groups. */
  readonly groups: readonly string[];
}

const US_AREAS =
  `205 212 213 215 216 217 218 219 224 225 228 229 231 234 239 240 248 251 252 253 254 256 260 262 267 269
  270 276 281 301 302 303 304 305 307 308 309 310 312 313 314 315 316 317 318 319 320 321 323 325 330 331 334 336 337 339
  347 351 352 360 361 386 401 402 404 405 406 407 408 409 410 412 413 414 415 417 419 423 424 425 430 432 434 435 440 443
  469 478 479 480 484 501 502 503 504 505 507 508 509 510 512 513 515 516 517 518 520 530 540 541 551 559 561 562 563 567
  570 571 573 574 580 585 586 601 602 603 605 606 607 608 609 610 612 614 615 616 617 618 619 620 623 626 630 631 636 641
  646 650 651 660 661 662 678 682 701 702 703 704 706 707 708 712 713 714 715 716 717 718 719 720 724 727 731 732 734 740
  754 757 760 763 765 770 772 773 774 775 781 785 786 801 802 803 804 805 806 808 810 812 813 814 815 816 817 818 828 830
  831 832 843 845 847 848 850 856 857 858 859 860 862 863 864 865 870 901 903 904 906 907 908 909 910 912 913 914 915 916`
    .trim()
    .split(/\s+/);
const GB_AREAS = [
  ...[
    ['20', '7946'],
    ['191', '498'],
    ['28', '9649'],
    ['29', '2018'],
  ],
  ...['113', '114', '116', '117', '118', '121', '131', '141', '151', '161'].map((area) => [area, '496']),
];
const DE_AREAS = [
  ['30', '23125'],
  ['69', '90009'],
  ['40', '66969'],
  ['89', '99998'],
  ['221', '4710'],
];
const FR_FIXED = ['199', '261', '353', '465', '536'];

const digits = (n: number, width: number): string => String(n).padStart(width, '0');

interface Plan {
  readonly callingCode: string;
  readonly fixed: number;
  readonly mobile: number;
  readonly fixedGroups: (n: number) => readonly string[];
  readonly mobileGroups: (n: number) => readonly string[];
}

const PLANS: Readonly<Record<Country, Plan>> = {
  US: {
    callingCode: '1',
    // American mobiles have the numbers of their area: the second half.
    fixed: US_AREAS.length * 5_000,
    mobile: US_AREAS.length * 5_000,
    fixedGroups: (n) => [US_AREAS[Math.floor(n / 5_000)]!, '555', digits(n % 5_000, 4)],
    mobileGroups: (n) => [US_AREAS[Math.floor(n / 5_000)]!, '555', digits(5_000 + (n % 5_000), 4)],
  },
  GB: {
    callingCode: '44',
    fixed: GB_AREAS.length * 10_000,
    mobile: 100_000,
    fixedGroups: (n) => [...GB_AREAS[Math.floor(n / 10_000)]!, digits(n % 10_000, 4)],
    mobileGroups: (n) => ['7400', `9${digits(n, 5)}`],
  },
  DE: {
    callingCode: '49',
    fixed: DE_AREAS.length * 100_000,
    mobile: 1_000_000,
    // The company's number, then a direct line of up to five digits as German exchanges have them.
    fixedGroups: (n) => [
      DE_AREAS[Math.floor(n / 100_000)]![0]!,
      DE_AREAS[Math.floor(n / 100_000)]![1]! + digits(n % 100_000, 5),
    ],
    mobileGroups: (n) => ['171', `3${digits(n, 6)}`],
  },
  FR: {
    callingCode: '33',
    fixed: FR_FIXED.length * 1_000_000,
    mobile: 1_000_000,
    fixedGroups: (n) => french(FR_FIXED[Math.floor(n / 1_000_000)]! + digits(n % 1_000_000, 6)),
    mobileGroups: (n) => french(`638${digits(n, 6)}`),
  },
};

function french(nine: string): readonly string[] {
  return [nine.slice(0, 1), nine.slice(1, 3), nine.slice(3, 5), nine.slice(5, 7), nine.slice(7, 9)];
}

/** A prime larger than any plan: multiplying by it spreads neighbours, and is one to one within a plan's size. */
const SPREAD = 6_700_417;

/** Each kind of party has its own part of a plan, as shares of its size, so that no two have the same number. */
const SPACES = {
  contact: { kind: 'fixed', from: 0, to: 0.6 },
  account: { kind: 'fixed', from: 0.6, to: 0.7 },
  lead: { kind: 'fixed', from: 0.7, to: 0.85 },
  stranger: { kind: 'fixed', from: 0.85, to: 0.95 },
  user: { kind: 'fixed', from: 0.95, to: 1 },
  contactMobile: { kind: 'mobile', from: 0, to: 0.75 },
  leadMobile: { kind: 'mobile', from: 0.75, to: 0.95 },
} as const;

export type Space = keyof typeof SPACES;

/** The nth number of a country's space: another n gives another number. Throws beyond the space. */
export function numberOf(country: Country, space: Space, n: number, seed: number): PhoneNumber {
  const plan = PLANS[country];
  const { kind, from, to } = SPACES[space];
  const size = plan[kind];
  const place = Math.floor(size * from) + n;
  if (place >= Math.floor(size * to))
    throw new Error(`There are too few numbers in ${country} for ${n} (${space}); make a smaller company.`);
  const spread = (place * SPREAD + seed) % size;
  return {
    country,
    callingCode: plan.callingCode,
    groups: kind === 'fixed' ? plan.fixedGroups(spread) : plan.mobileGroups(spread),
  };
}

/** How many numbers a space has. */
export function spaceSize(country: Country, space: Space): number {
  const { kind, from, to } = SPACES[space];
  const size = PLANS[country][kind];
  return Math.floor(size * to) - Math.floor(size * from);
}

export function e164({ callingCode, groups }: PhoneNumber): string {
  return `+${callingCode}${groups.join('')}`;
}
