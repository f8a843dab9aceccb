/** Instants as text, quickly: days are written once, seconds from a table. */
const DAY_MS = 86_400_000;
const days = new Map<number, string>();
const two = Array.from({ length: 60 }, (_, n) => String(n).padStart(2, '0'));

/** `2024-01-02T03:04:05.000`, in UTC, without zone. */
export function isoText(ms: number): string {
  const day = Math.floor(ms / DAY_MS);
  let text = days.get(day);
  if (text === undefined) {
    if (days.size > 10_000) days.clear();
    days.set(day, (text = new Date(day * DAY_MS).toISOString().slice(0, 11)));
  }
  const left = ms - day * DAY_MS;
  const seconds = Math.floor(left / 1_000);
  const millis = left - seconds * 1_000;
  const clock = `${two[Math.floor(seconds / 3_600)]!}:${two[Math.floor(seconds / 60) % 60]!}:${two[seconds % 60]!}`;
  return `${text}${clock}.${millis === 0 ? '000' : String(millis).padStart(3, '0')}`;
}

/** The form of REST replies. */
export function restInstant(ms: number): string {
  return `${isoText(ms)}+0000`;
}
