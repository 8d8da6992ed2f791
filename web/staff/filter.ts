// The filter of the order list. It lives in the address, so that it can be sent
// to a colleague; the list and its export send exactly the same to the server.
import { parseYuan } from '@shared/format'
import type { Tab } from './counts'

export interface OrderFilter {
  tab: Tab | ''
  date: 'created' | 'his_date' | 'paid'
  from: string // Beijing days
  to: string
  status: string
  method: string
  channel: string
  proxy: string
  stage: string // of the review
  min: string // yuan
  max: string
  no: string
  find: string // what stands for a name or a phone
}

export const blank = (): OrderFilter => (
  { tab: 'reviewing', date: 'created', from: '', to: '', status: '', method: '', channel: '', proxy: '', stage: '', min: '', max: '', no: '', find: '' }
)

const groups: Record<Tab, string[]> = {
  reviewing: ['reviewing'],
  awaiting_payee: ['awaiting_payee'],
  processing: ['submitted', 'debiting', 'approved', 'paying', 'reversing'],
  exceptions: ['suspense', 'debiting', 'paying', 'reversing'],
  succeeded: ['succeeded'],
  rejected: ['refused', 'rejected', 'cancelled', 'failed'],
}

/** statusesOf lists the states that a tab can show; all of them without a tab. */
export function statusesOf(tab: OrderFilter['tab']): string[] {
  return tab ? groups[tab] : [
    'submitted', 'debiting', 'reviewing', 'approved', 'paying', 'awaiting_payee', 'reversing', 'suspense', 'succeeded', 'refused',
    'rejected', 'cancelled', 'failed',
  ]
}

/** query writes what is not blank, as the address keeps it. */
export function query(f: OrderFilter): Record<string, string> {
  const none = blank()
  return Object.fromEntries(Object.entries(f).filter(([k, v]) => v !== none[k as keyof OrderFilter]))
}

/** take reads the filter of an address or of what somebody has saved; a card number of before is a number like any other. */
export function take(from: Record<string, unknown>): OrderFilter {
  const given = Object.fromEntries(Object.entries(from).filter(([k, v]) => k in blank() && typeof v === 'string'))
  const card = typeof from.card_no === 'string' ? from.card_no : ''
  return { ...blank(), ...given, no: String(given.no || card) } as OrderFilter
}

/** params writes the filter as the server takes it: amounts in fen. */
export function params(f: OrderFilter): Record<string, string> {
  const { min, max, ...rest } = f
  const out: Record<string, string> = Object.fromEntries(Object.entries(rest).map(([k, v]) => [k, v.trim()]).filter(([, v]) => v !== ''))
  if (!f.from && !f.to) delete out.date
  for (const [name, text] of [['amount_min', min], ['amount_max', max]] as const) {
    const fen = text.trim() === '' ? null : parseYuan(text)
    if (fen !== null) out[name] = String(fen)
  }
  return out
}
