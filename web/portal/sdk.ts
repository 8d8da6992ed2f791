// WeChat's own script, which it gives to pages inside it.
interface SDK {
  config(o: Record<string, unknown>): void
  ready(f: () => void): void
  error(f: (r: { errMsg?: string }) => void): void
  requestMerchantTransfer?(o: Record<string, unknown>): void
  miniProgram?: MiniProgram
}
interface MiniProgram {
  navigateTo(o: { url: string; success?: () => void; fail?: () => void }): void
  reLaunch(o: { url: string }): void
}
declare global {
  interface Window { wx?: SDK }
}

const SDK_URL = 'https://res.wx.qq.com/open/js/jweixin-1.6.0.js'

/** loadSdk loads WeChat's own script. */
export function loadSdk(): Promise<void> {
  if (window.wx) return Promise.resolve()
  return new Promise((done, fail) => {
    const s = document.createElement('script')
    s.src = SDK_URL
    s.onload = () => done()
    s.onerror = () => fail(new Error('sdk'))
    document.head.appendChild(s)
  })
}
