// Spans of Beijing days that people choose by name.
import { day } from '@shared/format'

/** shift is the day n days after another. */
export function shift(d: string, n: number): string {
  return day(new Date(new Date(`${d}T12:00:00+08:00`).getTime() + n * 86_400_000))
}

/** dayStart is when a Beijing day begins, or the one after it, as PocketBase's filters want it. */
export function dayStart(d: string, after = 0): string {
  return new Date(`${shift(d, after)}T00:00:00+08:00`).toISOString().replace('T', ' ')
}

/** spans are the named ones, as seen from a day. */
export function spans(today: string): [string, string, string][] {
  const month = `${today.slice(0, 8)}01`
  const before = shift(month, -1)
  return [
    ['今天', today, today], ['昨天', shift(today, -1), shift(today, -1)], ['最近 7 天', shift(today, -6), today], ['最近 30 天', shift(today, -29), today],
    ['本月', month, today], ['上月', `${before.slice(0, 8)}01`, before], ['今年', `${today.slice(0, 5)}01-01`, today],
  ]
}
