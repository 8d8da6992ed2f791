// Opening WeChat's confirmation of a transfer (A31). Its own answer proves
// nothing but that the page was shown; the server asks for the outcome.
import type { ConfirmationView as Confirmation, SignatureView } from '@shared/answers'
import { call } from '@shared/api'
import { openNative } from './native'
import { inMini } from './session'
import { loadSdk } from './sdk'

interface Bridge {
  invoke(name: string, args: Record<string, string>, done: (r: { err_msg?: string }) => void): void
}
declare global {
  interface Window { WeixinJSBridge?: Bridge }
}

export type Shown = 'shown' | 'cancelled' | 'failed'

/** inWechat: only WeChat's own webview, on a phone, can open the confirmation. */
export function inWechat(agent = navigator.userAgent): boolean {
  return /MicroMessenger/i.test(agent) && !/WindowsWechat|MacWechat/i.test(agent)
}

/** configure signs this page for the SDK. Where that fails the bridge may still work, so it is no end. */
async function configure(): Promise<void> {
  try {
    await loadSdk()
    const url = location.href.split('#')[0] ?? ''
    const s = await call<SignatureView>('GET', `/api/hospay/wechat/signature?url=${encodeURIComponent(url)}`)
    await new Promise<void>((done) => {
      window.wx?.config({ appId: s.app_id, timestamp: s.timestamp, nonceStr: s.nonce, signature: s.signature, jsApiList: ['requestMerchantTransfer'] })
      window.wx?.ready(done)
      window.wx?.error(() => done())
      setTimeout(done, 3000)
    })
  } catch {
    // the bridge decides
  }
}

/** bridge is WeChat's own, once it is there. */
export function bridge(): Promise<Bridge | null> {
  if (window.WeixinJSBridge) return Promise.resolve(window.WeixinJSBridge)
  return new Promise((done) => {
    document.addEventListener('WeixinJSBridgeReady', () => done(window.WeixinJSBridge ?? null), { once: true })
    setTimeout(() => done(window.WeixinJSBridge ?? null), 3000)
  })
}

/** showConfirmation opens the page on which the payee confirms, in a mini program or in H5. */
export async function showConfirmation(c: Confirmation): Promise<Shown> {
  if (inMini()) return openNative('confirm', { mch_id: c.mch_id, app_id: c.app_id, package: c.package })
  await configure()
  const args = { mchId: c.mch_id, appId: c.app_id, package: c.package }
  const sdk = window.wx
  if (sdk?.requestMerchantTransfer) {
    return new Promise(
      (done) => sdk.requestMerchantTransfer?.({ ...args, success: () => done('shown'), fail: () => done('failed'), cancel: () => done('cancelled') })
    )
  }
  const b = await bridge()
  if (!b) return 'failed'
  return new Promise((done) => b.invoke('requestMerchantTransfer', args, (r) => done(read(r.err_msg ?? ''))))
}

function read(message: string): Shown {
  if (message.endsWith(':ok')) return 'shown'
  return message.endsWith(':cancel') ? 'cancelled' : 'failed'
}
