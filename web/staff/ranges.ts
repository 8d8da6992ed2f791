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

/** monthEnds are the first and the last day of a month. */
export function monthEnds(month: string): { from: string; to: string } {
  const [y, m] = month.split('-').map(Number) as [number, number]
  return { from: `${month}-01`, to: new Date(Date.UTC(y, m, 0)).toISOString().slice(0, 10) }
}

/** periodName names a period as a voucher does: a day, a whole month, or from and to. */
export function periodName(from: string, to: string): string {
  const [y, m, d] = from.split('-').map(Number) as [number, number, number]
  if (from === to) return `${y}年${m}月${d}日`
  if (from.endsWith('-01') && to.slice(0, 7) === from.slice(0, 7) && shift(to, 1).endsWith('-01')) return `${y}年${m}月`
  return `${from} 至 ${to}`
}
