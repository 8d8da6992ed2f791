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

/** further reads the page after the last one, or the first one where there is none after it. */
async function further({ ids, query, next }: Row): Promise<Row> {
  const after: Record<string, string> = next ? { after: next } : {}
  const more = await call<QueueView>('GET', `/api/hospay/queue?${query}&${new URLSearchParams(after)}`)
  return { ids: [...ids, ...more.items.map((o) => o.id).filter((x) => !ids.includes(x))], query, next: more.next }
}

/**
 * neighbour is the order before or after another one; after the last of a page the next
 * page is read, and at the end of what waits in turn, what has come meanwhile.
 */
export async function neighbour(id: string, step: number): Promise<string> {
  let row = held()
  const at = row.ids.indexOf(id)
  if (at < 0) return ''
  const there = () => row.ids[at + step] ?? ''
  if (there() || step < 0) return there()
  const turns = new URLSearchParams(row.query).get('sort') === 'oldest'
  if (!row.next && !turns) return ''
  row = await further(row)
  while (!there() && row.next) row = await further(row)
  if (!there() && held().next && turns) row = await further(row)
  keepRow(row)
  return there()
}
