// Inside WeChat: its webview is played by a browser that calls itself so and by
// a bridge that records what it is asked. The money moves in the simulator.
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { accessible, app, json, launch, orders, quiet, reload, review, sim, until, visit, WECHAT } from '../walk'

let browser: Browser
beforeAll(async () => { browser = await launch() })
afterAll(async () => { await browser.close() })

const agent = 'Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/116.0 Mobile Safari/537.36 '
  + 'XWEB/1160117 MMWEBSDK/20240404 MicroMessenger/8.0.50 NetType/WIFI Language/zh_CN'

interface Asked { name: string; args: Record<string, string> }
interface Played { asked: Asked[]; answer: string; WeixinJSBridge?: unknown; configured: Record<string, unknown> }

const transfer = `window.wx.requestMerchantTransfer = (o) => {
  window.asked.push({ name: 'wx', args: { mchId: o.mchId, appId: o.appId, package: o.package } })
  o.success({})
}`

/** play puts a bridge into the page, and WeChat's script in the place from which it is loaded. */
async function play(page: Page, mini: boolean): Promise<void> {
  await page.addInitScript(() => {
    const w = window as unknown as Played
    w.asked = []
    w.answer = 'requestMerchantTransfer:ok'
    w.WeixinJSBridge = {
      invoke: (name: string, args: Record<string, string>, done: (r: { err_msg: string }) => void) => {
        w.asked.push({ name, args })
        done({ err_msg: w.answer })
      },
    }
  })
  await page.route('https://res.wx.qq.com/**', (route) => route.fulfill({
    contentType: 'text/javascript',
    body: `window.wx = { config(o) { window.configured = o }, ready(f) { f() }, error() {} };
      ${mini ? transfer : ''}`,
  }))
}

async function waiting(code: string, mini: boolean) {
  const { page, who, context } = await visit(browser, code, 'wechat', { userAgent: agent })
  const card = who.cards[0]!
  const token = await page.evaluate(() => JSON.parse(localStorage.getItem('hospay_patient')!).token as string)
  await json(
    `${app}/api/collections/refund_orders/records`,
    { token, json: { card_no: card, amount: 1500, method: 'transfer', channel: 'wechat', payee_name: who.name, notify_phone: who.phone, notice_version: '1' } }
  )
  await review(card, 'approve')
  const order = await until('awaiting', async () => (await orders(card)).find((o) => o.status === 'awaiting_payee'))
  await play(page, mini)
  await page.goto('about:blank')
  await page.goto(`${app}/#/records/${order.id}/confirm`)
  await page.getByText(/还剩 \d+ 小时/).waitFor()
  return { page, context, order, token }
}

test.each([['TestConfirm_H5CallsTheBridge', 'P0013', false], ['TestConfirm_H5CallsTheSDK', 'P0017', true]] as const)('%s', async (_name, code, mini) => {
  const { page, context, order, token } = await waiting(code, mini)
  const c = await json<{ mch_id: string; app_id: string; package: string }>(`${app}/api/hospay/refunds/${order.id}/confirmation`, { token })
  expect(await page.getByText('在手机微信中继续').count()).toBe(0) // it is the phone
  await page.getByRole('button', { name: '去确认收款' }).click()
  // ":ok" only says that the page was shown.
  await page.getByText('正在核实是否到账').waitFor()
  await accessible(page, 'checking')
  const asked = await page.evaluate(() => (window as unknown as Played).asked)
  expect(asked).toEqual([{ name: mini ? 'wx' : 'requestMerchantTransfer', args: { mchId: c.mch_id, appId: c.app_id, package: c.package } }])
  const configured = await page.evaluate(() => (window as unknown as Played).configured)
  expect(configured).toMatchObject({ appId: c.app_id, jsApiList: ['requestMerchantTransfer'], signature: expect.stringMatching(/^[0-9a-f]{40}$/) })
  expect(await page.getByText('已到账').count()).toBe(0)
  await reload(page)
  await page.getByText('正在核实是否到账').waitFor() // a reload does not forget it
  await json(sim(WECHAT, `/_sim/confirm/${order.no}T01`), { method: 'POST' })
  await page.getByText('已到账').first().waitFor()
  quiet(page)
  await context.close()
})

test('TestConfirm_CancelledInWeChatIsSaid_AndCanBeOpenedAgain', async () => {
  const { page, context } = await waiting('P0019', false)
  await page.evaluate(() => { (window as unknown as Played).answer = 'requestMerchantTransfer:cancel' })
  await page.getByRole('button', { name: '去确认收款' }).click()
  await page.getByText('您还没有确认收款').waitFor()
  await page.evaluate(() => { (window as unknown as Played).answer = 'requestMerchantTransfer:fail' })
  await page.getByRole('button', { name: '去确认收款' }).click()
  await page.getByText('没有打开确认页').waitFor()
  expect(await page.getByText('正在核实').count()).toBe(0)
  await context.close()
})
