// The patient's own payments: reading, following, and opening the channel's page.
import type { PaymentView } from '@shared/answers'
import { call, Failure, guarded, pb } from '@shared/api'
import { has, t } from '@shared/i18n'
import type { PaymentOrder } from '@shared/records'
import { goOut } from '../session'
import { bridge, inWechat, type Shown } from '../wechat'

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

declare global {
  interface Window {
    AlipayJSBridge?: { call(name: string, args: Record<string, string>, done: (r: { resultCode?: string }) => void): void }
  }
}

/** here is the address of a page of this entry, for the channel to bring the patient back to. */
export function here(route: string): string {
  return `${location.origin}${location.pathname}${location.search}#${route}`
}

/**
 * canOpen reports whether this browser can open the channel's page: the channel's
 * own webview, a link, or the demo's page.
 */
export function canOpen(p: PaymentView): boolean {
  const pay = p.pay
  if (!pay) return false
  if (pay.url || pay.form === 'link') return true
  return pay.form === 'alipay_trade' ? !!window.AlipayJSBridge : pay.form.startsWith('wechat_') && inWechat()
}

/** openPage opens the channel's page. Its own answer proves nothing but that it was shown. */
export async function openPage(p: PaymentView): Promise<Shown> {
  const pay = p.pay
  if (!pay) return 'failed'
  const back = here(`/payments/${p.id}`)
  if (pay.form === 'link') {
    await goOut(pay.values.url ?? '')
    return 'shown'
  }
  const alipay = window.AlipayJSBridge
  if (pay.form === 'alipay_trade' && alipay) {
    return new Promise((done) => alipay.call('tradePay', pay.values, (r) => done(r.resultCode === '6001' ? 'cancelled' : 'shown')))
  }
  if (pay.form.startsWith('wechat_') && inWechat()) {
    const b = await bridge()
    if (!b) return 'failed'
    const name = pay.form === 'wechat_medins' ? 'requestMedicalInsurancePay' : 'getBrandWCPayRequest'
    return new Promise((done) => b.invoke(name, pay.values, (r) => {
      const message = r.err_msg ?? ''
      done(message.endsWith(':ok') ? 'shown' : message.endsWith(':cancel') ? 'cancelled' : 'failed')
    }))
  }
  if (!pay.url) return 'failed'
  await goOut(pay.url.replace('{back}', encodeURIComponent(back)))
  return 'shown'
}
