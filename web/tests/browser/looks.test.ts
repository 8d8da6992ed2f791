// Every page in both modes, on the smallest phone, in both languages and with
// doubled text: axe finds nothing, nothing sticks out, targets are large enough.
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { accessible, app, fits, HIS, json, launch, listen, orders, person, quiet, reload, review, sim, until, visit } from '../walk'

let browser: Browser
let order = ''
let payment = ''
beforeAll(async () => {
  browser = await launch()
  const { page, context, who } = await visit(browser, 'P0001', 'wechat')
  const token = await page.evaluate(() => JSON.parse(localStorage.getItem('hospay_patient')!).token as string)
  const made = await json<{ id: string }>(
    `${app}/api/collections/refund_orders/records`,
    {
      token,
      json: { card_no: who.cards[0], amount: 1200, method: 'transfer', channel: 'wechat', payee_name: who.name, notify_phone: who.phone, notice_version: '1' },
    }
  )
  order = made.id
  const { bill_no } = await json<{ bill_no: string }>(sim(HIS, '/_sim/bills'), { json: { patient: 'P0001', kind: 'outpatient', amount: 880, insurable: true } })
  const wish = { bill_no, card_no: who.cards[0], channel: 'wechat', terminal: 'h5', insured: false }
  payment = (await json<{ id: string }>(`${app}/api/collections/payment_orders/records`, { token, json: wish })).id
  await review(who.cards[0]!, 'approve')
  await until('awaiting', async () => (await orders(who.cards[0]!)).some((o) => o.id === order && o.status === 'awaiting_payee'))
  await context.close()
})
afterAll(async () => { await browser.close() })

const pages = () => [
  '/', '/apply/notice', '/apply/card', '/records', `/records/${order}`, `/records/${order}/confirm`, '/proxy', '/proxy/new', '/status',
  '/pay', '/register', '/register/D01', '/payments', `/payments/${payment}`, '/nothing',
]

async function settle(page: Page, route: string): Promise<void> {
  await page.goto(`${app}/#${route}`)
  await page.locator('main h1').waitFor()
  await page.waitForLoadState('networkidle').catch(() => {})
  await expect.poll(() => page.locator('[aria-busy="true"]').count()).toBe(0)
}

/** targets: nothing that can be tapped is smaller than the mode asks. */
async function targets(page: Page, least: number, where: string): Promise<void> {
  const tapped = 'button, a[href], select, input[type=text], input[type=tel], label.choice, label.filebutton'
  const small = await page.evaluate(([min, what]) => [...document.querySelectorAll<HTMLElement>(what)]
    .filter((e) => e.offsetParent !== null && !e.closest('.rich') && !e.closest('dialog:not([open])'))
    .map((e) => ({ text: (e.textContent || e.id).trim().slice(0, 20), h: e.getBoundingClientRect().height, w: e.getBoundingClientRect().width }))
    .filter((r) => r.h < min - 0.5 || r.w < min - 0.5), [least, tapped] as const)
  expect(small, `targets under ${least} px at ${where}`).toEqual([])
}

async function smallText(page: Page): Promise<string[]> {
  return page.evaluate(() => [...document.querySelectorAll<HTMLElement>('main *')]
    .filter((e) => [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent?.trim()) && e.offsetParent !== null && !e.closest('.visually-hidden'))
    .filter((e) => parseFloat(getComputedStyle(e).fontSize) < 18).map((e) => `${e.tagName} ${e.textContent?.trim().slice(0, 20)}`))
}

test('TestLooks_StandardMode', async () => {
  const { page, context } = await visit(browser, 'P0001', 'wechat')
  for (const route of pages()) {
    await settle(page, route)
    await accessible(page, route)
    await fits(page, route)
    await targets(page, 44, route)
  }
  quiet(page)
  await context.close()
})

test('TestLooks_CareMode_LargeTextAndTargets', async () => {
  const { page, context } = await visit(browser, 'P0001', 'wechat')
  await page.getByRole('button', { name: '关怀版' }).click()
  for (const route of pages()) {
    await settle(page, route)
    await accessible(page, `${route} in care mode`)
    await fits(page, `${route} in care mode`)
    await targets(page, 60, `${route} in care mode`)
    expect(await smallText(page), `text under 18 px at ${route}`).toEqual([])
  }
  await reload(page)
  await page.getByRole('button', { name: '标准版' }).waitFor() // remembered
  quiet(page)
  await context.close()
})

test('TestLooks_CareMode_WholeApplicationAndProxy', async () => {
  const { page, who, context } = await visit(browser, 'P0009', 'alipay')
  await page.getByRole('button', { name: '关怀版' }).click()
  const look = async (where: string) => {
    await expect.poll(() => page.locator('[aria-busy="true"]').count()).toBe(0)
    await accessible(page, `${where} in care mode`)
    await fits(page, `${where} in care mode`)
    await targets(page, 60, `${where} in care mode`)
    expect(await smallText(page), `text under 18 px at ${where}`).toEqual([])
  }
  const next = () => page.getByRole('button', { name: '下一步' }).click()
  await page.getByRole('button', { name: '申请退款' }).click()
  await page.getByLabel('我已阅读并同意退款须知').check()
  await next()
  await page.getByRole('radio').first().check()
  await page.getByLabel('只退一部分').check()
  await page.getByLabel('退款金额（元）').fill('8')
  await look('card')
  await next()
  await page.getByRole('heading', { level: 1, name: '退款渠道' }).waitFor()
  await page.getByRole('button', { name: '下一步' }).waitFor()
  await look('route')
  await next()
  await page.getByLabel('收款人姓名').fill(who.name)
  await page.getByLabel('通知手机号').fill(who.phone)
  const account = page.getByRole('textbox', { name: '支付宝账号' })
  if (await account.isVisible()) await account.fill(who.alipay_account)
  await look('details')
  await next()
  await page.getByRole('heading', { level: 1, name: '核对并提交' }).waitFor()
  await look('check')
  await page.getByRole('button', { name: '确认提交' }).click()
  await page.getByRole('heading', { level: 1, name: '已提交，请留意进度' }).waitFor()
  await look('done')

  const old = await person('P0008', 'wechat')
  await page.goto(`${app}/#/proxy/new`)
  await page.getByLabel('被代办人姓名').fill(old.name)
  await page.getByLabel('被代办人证件号码').fill(old.id_no)
  await page.getByLabel('被代办人就诊卡号').fill(old.cards[0]!)
  await page.getByRole('radio', { name: '老年人' }).check()
  await page.getByLabel('您是被代办人的').selectOption({ label: '子女' })
  await page.getByLabel('我已阅读并同意').check()
  await page.getByRole('button', { name: '查询并继续' }).click()
  await page.getByRole('heading', { level: 1, name: '代办详情' }).waitFor()
  await look('proxy')
  quiet(page)
  await context.close()
})

test('TestLooks_CareModeIsOfferedFromSixtyOn_AndNeverForced', async () => {
  const context = await browser.newContext({ viewport: { width: 375, height: 812 }, locale: 'zh-CN' })
  const page = await context.newPage()
  listen(page)
  const old = await person('P0003', 'wechat')
  await page.goto(`${app}/?ticket=${encodeURIComponent(old.ticket)}`)
  await page.getByRole('dialog').getByText('使用关怀版？').waitFor()
  await accessible(page, 'offer of care mode')
  await page.getByRole('button', { name: '用标准版' }).click()
  await reload(page)
  await page.getByText('您好').waitFor()
  await page.waitForTimeout(400)
  expect(await page.getByRole('dialog').isVisible()).toBe(false)
  await context.close()
  const young = await visit(browser, 'P0001', 'wechat')
  await young.page.waitForTimeout(400)
  expect(await young.page.getByRole('dialog').isVisible()).toBe(false)
  await young.context.close()
})

test('TestLooks_SmallestPhoneAndDoubledText', async () => {
  const { page, context } = await visit(browser, 'P0001', 'wechat', { viewport: { width: 320, height: 640 } })
  for (const size of ['16px', '32px']) {
    for (const route of pages()) {
      await settle(page, route)
      await page.evaluate((s) => { document.documentElement.style.fontSize = s }, size)
      await fits(page, `${route} at 320 px with ${size}`)
    }
  }
  await page.evaluate(() => { document.documentElement.style.fontSize = '' })
  await page.getByRole('button', { name: '关怀版' }).click()
  for (const route of pages()) {
    await settle(page, route)
    await fits(page, `${route} at 320 px in care mode`)
  }
  await context.close()
})

test('TestLooks_EnglishHasNoChineseButNamesAndTheHospitalsOwnText', async () => {
  const { page, context } = await visit(browser, 'P0001', 'wechat')
  await page.getByRole('button', { name: 'English' }).click()
  await expect.poll(() => page.evaluate(() => document.documentElement.lang)).toBe('en') // the texts are loaded first
  for (const route of pages()) {
    await settle(page, route)
    const text = await page.evaluate(() => [...document.querySelectorAll<HTMLElement>('main, header')].map((e) => {
      const copy = e.cloneNode(true) as HTMLElement
      copy.querySelectorAll('.rich, [lang="zh-CN"], h1, h2').forEach((x) => x.remove())
      return copy.textContent ?? ''
    }).join(' '))
    const left = (text.replace(/[\u4e00-\u9fff]\*+|预交金退款须知|“预交金退款”/g, '').match(/[\u4e00-\u9fff]+/g) ?? [])
    expect(left, `Chinese at ${route}`).toEqual([])
  }
  await context.close()
})

test('TestLooks_KeyboardAlone_FromHomeToTheCard', async () => {
  const { page, context } = await visit(browser, 'P0001', 'wechat', { isMobile: false, hasTouch: false })
  await page.keyboard.press('Tab')
  for (let i = 0; i < 30 && !(await page.evaluate(() => document.activeElement?.textContent?.includes('申请退款'))); i++) await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  await page.getByLabel('我已阅读并同意退款须知').waitFor()
  await expect.poll(() => page.evaluate(() => document.activeElement?.tagName)).toBe('H1') // a new screen starts at its heading
  const atBox = () => page.evaluate(() => (document.activeElement as HTMLInputElement)?.type === 'checkbox')
  for (let i = 0; i < 10 && !(await atBox()); i++) await page.keyboard.press('Tab')
  await page.keyboard.press('Space')
  await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { level: 1, name: '选择就诊卡' }).waitFor()
  await context.close()
})

