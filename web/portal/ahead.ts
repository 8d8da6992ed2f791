// What the next page begins with, asked for while a person still reads this one: on
// a bad network every answer takes seconds.
import { call } from '@shared/api'
import { patientId } from './session'

interface Asked { until: number; answer: Promise<unknown> }
const asked = new Map<string, Asked>()
const keyOf = (path: string) => `${patientId()} ${path}`
const young = (a: Asked | undefined): a is Asked => !!a && Date.now() < a.until

/** ahead asks, unless it has just been asked; the answer waits for its page so many seconds. What goes wrong is told by the page, which asks again. */
export function ahead(path: string, seconds = 20): void {
  const key = keyOf(path)
  if (young(asked.get(key))) return
  const answer = call('GET', path)
  answer.catch(() => {})
  asked.set(key, { until: Date.now() + seconds * 1000, answer })
}

/** come is the answer that was asked for ahead, once, or a new one. */
export async function come<T>(path: string): Promise<T> {
  const key = keyOf(path)
  const a = asked.get(key)
  asked.delete(key)
  if (young(a)) {
    const early = await a.answer.catch(() => null)
    if (early) return early as T
  }
  return call<T>('GET', path)
}
