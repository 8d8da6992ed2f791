// The patient's own payments: reading and following.
import type { PaymentView } from '@shared/answers'
import { call, Failure, guarded, pb } from '@shared/api'
import { has, t } from '@shared/i18n'
import type { PaymentOrder } from '@shared/records'

export const pageSize = 20

/** listPayments reads a page of payments, newest first. */
export async function listPayments(page = 1, open = false): Promise<PaymentOrder[]> {
  const filter = open ? ['done', 'part_refunded', 'refunded', 'cancelled', 'expired'].map((s) => `status != "${s}"`).join(' && ') : ''
  const list = await guarded(() => pb.collection('payment_orders').getList<PaymentOrder>(page, pageSize, { filter, sort: '-created', skipTotal: true }))
  return list.items
}

export function readPayment(id: string): Promise<PaymentView> {
  return call<PaymentView>('GET', `/api/hospay/payments/${id}`)
}

/** tellPay says what went wrong in the words of payments. */
export function tellPay(what: Failure): Failure {
  const key = `payment.error.${what.code}`
  return has(key) ? new Failure(what.code, t(key, { detail: what.detail }), what.status, what.detail) : what
}

/** tone colours a state; the words say the same. */
export function payTone(status: string): '' | 'good' | 'warn' | 'bad' | 'plain' {
  switch (status) {
    case 'done': return 'good'
    case 'paying': case 'refund_wait_auth': case 'suspense': return 'warn'
    case 'cancelled': case 'expired': case 'refunded': return 'plain'
  }
  return ''
}
