/** Each object draws from its own randomness. */
export const SALTS = {
  Account: 11,
  Contact: 12,
  Lead: 13,
  Opportunity: 14,
  User: 15,
  Task: 16,
  Event: 17,
  call: 18,
} as const;
