// Amounts are whole fen everywhere; only these functions turn them into yuan
// and back. Times are shown in Beijing time, whatever the phone's zone is.

/** yuan prints fen as ¥1,234.50. */
export function yuan(fen: number): string {
  const sign = fen < 0 ? '-' : ''
  const abs = Math.abs(fen)
  const whole = Math.floor(abs / 100).toString().replace(/\B(?=(\d{3})+$)/g, ',')
  return `${sign}¥${whole}.${(abs % 100).toString().padStart(2, '0')}`
}

/** parseYuan reads what a person types; null when it is no amount. */
export function parseYuan(text: string): number | null {
  const m = /^(\d{1,9})(?:\.(\d{1,2}))?$/.exec(text.trim().replace(/[,，¥￥\s]/g, ''))
  if (!m) return null
  return Number(m[1]) * 100 + Number((m[2] ?? '').padEnd(2, '0'))
}

const parts = new Intl.DateTimeFormat('en-CA', {
  timeZone: 'Asia/Shanghai', year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23',
})

function split(at: string | Date): Record<string, string> | null {
  const date = typeof at === 'string' ? new Date(at.replace(' ', 'T')) : at
  if (!at || Number.isNaN(date.getTime())) return null
  return Object.fromEntries(parts.formatToParts(date).map((p) => [p.type, p.value]))
}

/** dateTime prints 2026-11-24 10:32, or a dash when there is no time. */
export function dateTime(at: string | Date): string {
  const p = split(at)
  return p ? `${p.year}-${p.month}-${p.day} ${p.hour}:${p.minute}` : '—'
}

/** day prints 2026-11-24. */
export function day(at: string | Date): string {
  return dateTime(at).slice(0, 10)
}

/** clock prints 10:32. */
export function clock(at: string | Date): string {
  const p = split(at)
  return p ? `${p.hour}:${p.minute}` : '—'
}

/** daysAgo is the start of the Beijing day n days ago, as PocketBase filters want it. */
export function daysAgo(n: number, now = new Date()): string {
  const p = split(new Date(now.getTime() - n * 86_400_000))
  const start = new Date(`${p?.year}-${p?.month}-${p?.day}T00:00:00+08:00`)
  return start.toISOString().replace('T', ' ')
}

/** left tells how long until a time, in hours and minutes; zero when it has passed. */
export function left(until: string, now = Date.now()): { hours: number; minutes: number } {
  const minutes = Math.max(0, Math.floor((new Date(until).getTime() - now) / 60_000))
  return { hours: Math.floor(minutes / 60), minutes: minutes % 60 }
}
