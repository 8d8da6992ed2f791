// Opening the channel's page of a payment.
import type { PaymentView } from '@shared/answers'
import { openNative } from '../native'
import { goOut, inMini } from '../session'
import { bridge, inWechat, type Shown } from '../wechat'

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
  if (!pay || elsewhere(p)) return false
  if (pay.url || pay.form === 'link') return true
  return pay.form === 'alipay_trade' ? !!window.AlipayJSBridge : pay.form.startsWith('wechat_') && inWechat()
}

/** elsewhere: the payment goes on in the mini program, or out of it, where it was begun: WeChat opens it nowhere else. */
export function elsewhere(p: PaymentView): '' | 'mini' | 'h5' {
  if (p.channel !== 'wechat' || !inWechat() || !['mini', 'h5'].includes(p.terminal) || (p.terminal === 'mini') === inMini()) return ''
  return p.terminal as 'mini' | 'h5'
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
    if (inMini()) return openNative('pay', { form: pay.form, values: JSON.stringify(pay.values) })
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
