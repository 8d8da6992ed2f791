// In the hospital's mini program: the pages in its web-view are played by a browser
// that calls itself so, its native pages by what they are asked to open (what they do
// with it is in tests/mini.test.ts). The money moves in the simulator.
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { accessible, app, fits, HIS, json, launch, orders, quiet, review, sim, until, visit, WECHAT } from '../walk'

let browser: Browser
beforeAll(async () => { browser = await launch() })
afterAll(async () => { await browser.close() })

const agent = 'Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/116.0 Mobile Safari/537.36 '
  + 'XWEB/1160117 MMWEBSDK/20240404 MicroMessenger/8.0.50 NetType/WIFI Language/zh_CN'

interface Played { opened: string[]; begun: string[]; works: boolean }

/** play puts WeChat's script in its place: it keeps which native pages it was asked for. */
async function play(page: Page): Promise<void> {
  await page.addInitScript(() => Object.assign(window, { opened: [], begun: [], works: true }))
  await page.route('https://res.wx.qq.com/**', (route) => route.fulfill({
    contentType: 'text/javascript',
    body: `window.wx = { miniProgram: {
      navigateTo(o) { window.opened.push(o.url); window.works ? o.success() : o.fail() },
      reLaunch(o) { window.begun.push(o.url) },
    } }`,
  }))
}

const opened = async (page: Page) => (await page.evaluate(() => (window as unknown as Played).opened)).map((url) => new URL(url, 'http://mini'))
const miniCode = async (patient: string) => (await json<{ code: string }>(sim(WECHAT, `/_sim/code?patient=${patient}&app=mini`))).code
const tokenOf = (page: Page) => page.evaluate(() => JSON.parse(localStorage.getItem('hospay_patient')!).token as string)

/** enter opens the pages as the mini program's first page does. */
async function enter(patient: string, userAgent: string) {
  const came = await visit(browser, patient, 'wechat', { userAgent })
  await play(came.page)
  await came.page.goto('about:blank')
  await came.page.goto(`${app}/?mini=${await miniCode(patient)}`)
  await came.page.getByText('您好').waitFor()
  expect(came.page.url()).not.toContain('mini=')
  return came
}

test('TestMini_RefundIsConfirmedOnANativePage', async () => {
  const { page, who, context } = await enter('P0023', `${agent} miniProgram/wxdemomini01234567`)
  const card = who.cards[0]!
  await json(`${app}/api/collections/refund_orders/records`, {
    token: await tokenOf(page),
    json: { card_no: card, amount: 1500, method: 'transfer', channel: 'wechat', payee_name: who.name, notify_phone: who.phone, notice_version: '1' },
  })
  await review(card, 'approve')
  const order = await until('awaiting', async () => (await orders(card)).find((o) => o.status === 'awaiting_payee'))
  await page.goto(`${app}/#/records/${order.id}/confirm`)
  await page.evaluate(() => { (window as unknown as Played).works = false })
  await page.getByRole('button', { name: '去确认收款' }).click()
  await page.getByText('没有打开确认页').waitFor()
  await page.evaluate(() => Object.assign(window, { works: true, opened: [] }))
  await page.getByRole('button', { name: '去确认收款' }).click()
  await page.getByText('正在核实是否到账').waitFor()
  await accessible(page, 'checking in the mini program')
  const [native] = await opened(page)
  expect(native!.pathname).toBe('/pages/confirm/confirm')
  const asked = Object.fromEntries(native!.searchParams)
  expect(asked).toMatchObject({ app_id: 'wxdemomini01234567', mch_id: '1900000109' })

  // The official account does not offer what WeChat opens in the mini program alone.
  const outside = await visit(browser, 'P0023', 'wechat', { userAgent: agent })
  await outside.page.goto(`${app}/#/records/${order.id}/confirm`)
  await outside.page.getByText('请打开医院小程序').waitFor()
  expect(await outside.page.getByRole('button', { name: '去确认收款' }).count()).toBe(0)
  await accessible(outside.page, 'asked for in the mini program')
  await fits(outside.page, 'asked for in the mini program')
  await outside.context.close()

  await json(sim(WECHAT, `/_sim/confirm/${order.no}T01`), { json: asked })
  await page.getByText('已到账').first().waitFor()
  quiet(page)
  await context.close()
})

test('TestMini_PaysOnANativePage', async () => {
  const { page, who, context } = await enter('P0023', `${agent} miniProgram/wxdemomini01234567`)
  await json(sim(HIS, '/_sim/bills'), { json: { patient: 'P0023', kind: 'outpatient', amount: 2300, insurable: false } })
  await page.goto(`${app}/#/pay`)
  await page.locator('section.box', { hasText: '¥23.00' }).getByRole('button', { name: '去缴费' }).click()
  await page.getByLabel('微信自费支付').check()
  await page.getByRole('button', { name: '支付 ¥23.00' }).click()
  await page.getByRole('heading', { level: 1, name: '缴费详情' }).waitFor()
  await page.getByRole('button', { name: '支付 ¥23.00' }).click()
  const native = await until('the native page', async () => (await opened(page)).at(-1))
  expect(native.pathname).toBe('/pages/pay/pay')
  expect(native.searchParams.get('form')).toBe('wechat_jsapi')
  expect(JSON.parse(native.searchParams.get('values')!)).toMatchObject({ appId: 'wxdemomini01234567', signType: 'RSA' })
  const route = new URL(page.url()).hash

  const outside = await visit(browser, 'P0023', 'wechat', { userAgent: agent })
  await outside.page.goto(`${app}/${route}`)
  await outside.page.getByText('请回到医院小程序支付').waitFor()
  expect(await outside.page.getByRole('button', { name: '支付 ¥23.00' }).count()).toBe(0)
  await accessible(outside.page, 'begun in the mini program')
  await outside.context.close()

  const q = new URLSearchParams({ filter: `card_no = "${who.cards[0]}"`, sort: '-created' })
  const token = await tokenOf(page)
  const mine = await json<{ items: { out_trade_no?: string; id: string; status: string }[] }>(`${app}/api/collections/payment_orders/records?${q}`, { token })
  expect(mine.items[0]).toMatchObject({ status: 'paying', terminal: 'mini' })
  await context.close()
})

test('TestMini_ComesInAnewWhenTheSessionIsOver', async () => {
  const { page, context } = await enter('P0023', `${agent} miniProgram/wxdemomini01234567`)
  await page.evaluate(() => localStorage.clear())
  await page.goto(`${app}/#/enter`)
  await page.reload()
  await page.getByRole('button', { name: '微信授权进入' }).click()
  await until('begun anew', async () => (await page.evaluate(() => (window as unknown as Played).begun)).includes('/pages/index/index'))
  await page.getByText('小程序没有重新打开').waitFor() // where WeChat does not do it
  await page.goto('about:blank')
  await page.goto(`${app}/?mini=${await miniCode('P0023')}`) // the mini program logs in again: no ticket this time
  await page.getByText('您好').first().waitFor()
  await context.close()
})
