/** How often each kind of change happens. */
/** What a change may be; the figures are weights. */
export const DEFAULT_MIX = {
  update: 66,
  create: 8,
  delete: 3,
  undelete: 2,
  /** One transaction that gives several records the same values. */
  massUpdate: 2,
  merge: 1,
  convert: 1,
  call: 14,
  /** Someone unknown who called is entered as a contact. */
  callerBecomesContact: 3,
  /** Emptying the recycle bin: no change event tells of it. */
  purge: 0,
};
export type Mix = typeof DEFAULT_MIX;
export type ChangeKind = keyof Mix;
