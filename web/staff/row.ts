// The row of orders that one goes through from the list: its ids in order, and how
// it goes on after the last one that was shown.
import type { QueueView } from '@shared/answers'
import { call } from '@shared/api'
import { store, storedAs } from '@shared/storage'

interface Row { ids: string[]; query: string; next: string }
const KEY = 'hospay_order_row'
const held = (): Row => storedAs<Row>(KEY, 'session') ?? { ids: [], query: '', next: '' }

export const keepRow = (row: Row) => store(KEY, row, 'session')
export const inRow = (id: string) => held().ids.includes(id)

/** neighbour is the order before or after another one; after the last of a page the next page is read. */
export async function neighbour(id: string, step: number): Promise<string> {
  const { ids, query, next } = held()
  const at = ids.indexOf(id)
  if (at < 0) return ''
  if (ids[at + step] || step < 0 || !next) return ids[at + step] ?? ''
  const more = await call<QueueView>('GET', `/api/hospay/queue?${query}&${new URLSearchParams({ after: next })}`)
  keepRow({ ids: [...ids, ...more.items.map((o) => o.id).filter((x) => !ids.includes(x))], query, next: more.next })
  return held().ids[at + step] ?? ''
}
