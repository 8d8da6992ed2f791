// The patient's own orders, live.
import { guarded, pb } from '@shared/api'
import { daysAgo } from '@shared/format'
import type { RefundOrder } from '@shared/records'
import { watchRecords } from './live'

export type Order = RefundOrder

export const finals = ['succeeded', 'refused', 'rejected', 'cancelled', 'failed']

export interface OrderFilter {
  state?: string // all, open, awaiting_payee, succeeded, unsuccessful
  channel?: string
  who?: string // self, proxy
  days?: number
  group?: string
}

/** filterOf writes a PocketBase filter. Every value comes from fixed choices or is bound. */
export function filterOf(f: OrderFilter, now = new Date()): string {
  const parts: string[] = ['compensates = ""']
  const not = finals.map((s) => `status != "${s}"`).join(' && ')
  if (f.state === 'open') parts.push(`(${not})`)
  if (f.state === 'awaiting_payee' || f.state === 'succeeded') parts.push(`status = "${f.state}"`)
  if (f.state === 'unsuccessful') parts.push('(status = "refused" || status = "rejected" || status = "cancelled" || status = "failed")')
  if (f.channel) parts.push(pb.filter('channel = {:c}', { c: f.channel }))
  if (f.who === 'self') parts.push('proxy_application = ""')
  if (f.who === 'proxy') parts.push('proxy_application != ""')
  if (f.days) parts.push(pb.filter('created >= {:since}', { since: daysAgo(f.days, now) }))
  if (f.group) parts.push(pb.filter('group = {:g}', { g: f.group }))
  return parts.join(' && ')
}

export const pageSize = 20

/** listOrders reads a page of orders, newest first. */
export async function listOrders(f: OrderFilter, page = 1): Promise<Order[]> {
  const list = await guarded(() => pb.collection('refund_orders').getList<Order>(page, pageSize, { filter: filterOf(f), sort: '-created', skipTotal: true }))
  return list.items
}

export function readOrder(id: string): Promise<Order> {
  return guarded(() => pb.collection('refund_orders').getOne<Order>(id))
}

/** watchOrders follows the patient's own refunds. */
export function watchOrders(f: () => void, id = '*'): void {
  watchRecords('refund_orders', f, id)
}

/** tone colours a state; the words say the same. */
export function tone(status: string): '' | 'good' | 'warn' | 'bad' | 'plain' {
  switch (status) {
    case 'succeeded': return 'good'
    case 'awaiting_payee': case 'suspense': return 'warn'
    case 'refused': case 'rejected': case 'failed': return 'bad'
    case 'cancelled': return 'plain'
  }
  return ''
}
