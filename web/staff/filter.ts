// The filter of the order list. It lives in the address, so that it can be sent
// to a colleague, and the export takes exactly the same.
import { pb } from '@shared/api'
import type { Tab } from './counts'

export interface OrderFilter {
  tab: Tab | 'all'
  from: string // apply time, Beijing days
  to: string
  his_from: string
  his_to: string
  paid_from: string
  paid_to: string
  status: string
  method: string
  channel: string
  who: string
  min: string // yuan
  max: string
  no: string // card, order or bill number
}

export const blank = (): OrderFilter => ({
  tab: 'reviewing', from: '', to: '', his_from: '', his_to: '', paid_from: '', paid_to: '', status: '', method: '', channel: '', who: '', min: '', max: '', no: '',
})

const groups: Record<Tab, string[]> = {
  reviewing: ['reviewing'],
  awaiting_payee: ['awaiting_payee'],
  processing: ['submitted', 'debiting', 'approved', 'paying', 'reversing'],
  exceptions: ['suspense'],
  succeeded: ['succeeded'],
  rejected: ['refused', 'rejected', 'cancelled', 'failed'],
}

/** statusesOf lists the states behind a tab. */
export function statusesOf(tab: OrderFilter['tab']): string[] {
  return tab === 'all' ? [] : groups[tab]
}

const dayStart = (d: string) => new Date(`${d}T00:00:00+08:00`).toISOString().replace('T', ' ')
const dayEnd = (d: string) => new Date(new Date(`${d}T00:00:00+08:00`).getTime() + 86_400_000).toISOString().replace('T', ' ')

function between(field: string, from: string, to: string): string[] {
  const parts: string[] = []
  if (from) parts.push(pb.filter(`${field} >= {:v}`, { v: dayStart(from) }))
  if (to) parts.push(pb.filter(`${field} < {:v}`, { v: dayEnd(to) }))
  if ((from || to) && field !== 'created') parts.push(`${field} != ""`)
  return parts
}

/** filterText writes the filter for PocketBase. Every value is bound. */
export function filterText(f: OrderFilter): string {
  const parts = ['compensates = ""']
  const statuses = f.status ? [f.status] : statusesOf(f.tab)
  if (statuses.length) parts.push('(' + statuses.map((s) => pb.filter('status = {:s}', { s })).join(' || ') + ')')
  parts.push(...between('created', f.from, f.to), ...between('his_refund_date', f.his_from, f.his_to), ...between('paid_at', f.paid_from, f.paid_to))
  if (f.method) parts.push(pb.filter('method = {:v}', { v: f.method }))
  if (f.channel) parts.push(pb.filter('channel = {:v}', { v: f.channel }))
  if (f.who === 'self') parts.push('proxy_application = ""')
  if (f.who === 'proxy') parts.push('proxy_application != ""')
  if (f.min) parts.push(pb.filter('amount >= {:v}', { v: Math.round(Number(f.min) * 100) }))
  if (f.max) parts.push(pb.filter('amount <= {:v}', { v: Math.round(Number(f.max) * 100) }))
  if (f.no.trim()) parts.push(pb.filter('(no = {:v} || card_no = {:v} || his_refund_no = {:v} || channel_bill_no = {:v})', { v: f.no.trim() }))
  return parts.join(' && ')
}

/** query writes what is not blank, for the address and the export. */
export function query(f: OrderFilter): Record<string, string> {
  const none = blank()
  return Object.fromEntries(Object.entries(f).filter(([k, v]) => v !== '' && v !== none[k as keyof OrderFilter]))
}
