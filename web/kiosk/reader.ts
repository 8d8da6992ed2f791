// The service of the readers on the kiosk itself: one address on loopback, one
// question. It waits until something is shown, and answers
//
//   GET {reader}/read?what=credential|id_card|social_card
//   200 {"no": "…", "name": "…"}   408 nothing was shown   409 it was cancelled
//
// A scanner may as well type what it reads, ending with Enter.
import { Failure } from '@shared/api'

export interface Shown { no: string; name?: string }
export type What = 'credential' | 'id_card' | 'social_card'

/** read waits for what is shown. Null: nothing was, for as long as the service waits. */
export async function read(base: string, what: What, signal: AbortSignal): Promise<Shown | null> {
  let res: Response
  try {
    res = await fetch(`${base.replace(/\/+$/, '')}/read?what=${what}`, { signal, cache: 'no-store' })
  } catch {
    if (signal.aborted) return null
    throw new Failure('reader_away', '读卡器没有应答，请换一种方式，或联系工作人员。')
  }
  if (res.status === 408) return null
  if (res.status === 409) throw new Failure('reader_cancelled', '读卡已取消，请重新放卡。')
  const shown = (await res.json().catch(() => null)) as Shown | null
  if (!res.ok || !shown || typeof shown.no !== 'string' || shown.no === '') {
    throw new Failure('reader_failed', '没有读出来，请重新放好再试。')
  }
  return shown
}

/** GAP is how long a scanner may pause between two characters. */
const GAP = 1000

/** typed collects what a scanner types and tells it when it ends with Enter. */
export function typed(tell: (text: string) => void): (key: string, at: number) => boolean {
  let text = ''
  let last = 0
  return (key, at) => {
    if (at - last > GAP) text = ''
    last = at
    if (key === 'Enter') {
      const all = text
      text = ''
      if (all) tell(all)
      return all !== ''
    }
    if (!/^[0-9A-Za-z]$/.test(key)) return false
    if (text.length < 64) text += key
    return true
  }
}
