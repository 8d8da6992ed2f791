// The page of a list and its size, as they stand in the address.
import { store, stored } from '@shared/storage'
import { session } from './session'

export const sizes = [20, 50, 100, 200] as const
export const PER = 50

const key = () => `hospay_page_size_${session.me?.id ?? ''}`

/** paged adds them to an address; what is as usual is left out. */
export function paged(query: Record<string, string>, page: number, per: number): Record<string, string> {
  return { ...query, ...(page > 1 && { page: String(page) }), ...(per !== PER && { per: String(per) }) }
}

/** pageOf reads them; an address that says nothing of pages begins with the size that this person likes. */
export function pageOf(q: Record<string, unknown>): { page: number; per: number } {
  const page = Math.floor(Number(q.page))
  const size = (v: unknown) => sizes.find((s) => String(s) === v) ?? PER
  return { page: page >= 1 && page <= 2000 ? page : 1, per: size(q.per ?? (q.page ? '' : stored(key()))) }
}

/** keepSize keeps the size for the next list. */
export const keepSize = (per: number) => store(key(), String(per))
