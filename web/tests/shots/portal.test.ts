// The patient's pages: every screen and state, on a phone, in care mode, and
// on a wide screen.
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, test } from 'vitest'
import { approveProxy, app, HIS, json, launch, orders, person, phone, reload, review, sim, until, visit, WECHAT } from '../walk'
import { camera, type Shoot } from './camera'

let browser: Browser
beforeAll(async () => { browser = await launch() })
afterAll(async () => { await browser.close() })

interface Look {
  name: string; care: boolean; options: BrowserContextOptions
  people: { wechat: string; alipay: string; agent: string; principal: string; kind: string; relation: string }
}
const looks: Look[] = [
  { name: 'phone', care: false, options: {}, people: { wechat: 'P0021', alipay: 'P0022', agent: 'P0023', principal: 'P0003', kind: '老年人', relation: '子女' } },
  { name: 'care', care: true, options: {}, people: { wechat: 'P0031', alipay: 'P0032', agent: 'P0033', principal: 'P0008', kind: '老年人', relation: '子女' } },
  {
    name: 'wide', care: false, options: { viewport: { width: 1440, height: 900 }, isMobile: false, hasTouch: false, deviceScaleFactor: 1 },
    people: { wechat: 'P0041', alipay: 'P0042', agent: 'P0043', principal: 'P0007', kind: '未成年人', relation: '父母' },
  },
]

const next = (page: Page) => page.getByRole('button', { name: '下一步' }).click()
const h1 = (page: Page, name: string) => page.getByRole('heading', { level: 1, name, exact: true }).waitFor()

async function enter(look: Look, code: string, via: 'wechat' | 'alipay') {
  const v = await visit(browser, code, via, look.options)
  if (look.care) await v.page.getByRole('button', { name: '关怀版' }).click()
  return v
}

async function application(look: Look, shoot: Shoot): Promise<void> {
  const { page, who, context } = await enter(look, look.people.wechat, 'wechat')
  const card = who.cards[0]!
  await shoot(page, 'home')
  await page.goto(`${app}/#/records`)
  await shoot(page, 'records-empty')
  await page.goto(`${app}/#/`)
  await page.getByRole('button', { name: '申请退款' }).click()
  await next(page)
  await page.getByText('请先阅读并勾选同意').waitFor()
  await shoot(page, 'notice-unchecked')
  await page.getByLabel('我已阅读并同意退款须知').check()
  await next(page)
  await page.getByText(/截至 \d\d:\d\d/).first().waitFor()
  await shoot(page, 'card')
  await json(sim(HIS, '/_sim/faults'), { json: { plan: [{ match: 'balance', nth: 1, fault: '500_before', times: 100 }] } })
  await page.waitForTimeout(11_000) // what HIS said serves for ten seconds
  await reload(page)
  await page.getByRole('alert').first().waitFor()
  await shoot(page, 'card-his-down')
  await json(sim(HIS, '/_sim/faults'), { method: 'DELETE' })
  await reload(page)
  await page.getByText(/截至 \d\d:\d\d/).first().waitFor()
  if (await page.getByRole('radio').count() > 1) await page.getByRole('radio').first().check()
  await next(page)
  await h1(page, '退款渠道')
  await page.getByRole('button', { name: '下一步' }).waitFor()
  await shoot(page, 'route')
  await next(page)
  await page.getByLabel('收款人姓名').fill('很长的名字'.repeat(8))
  await page.getByLabel('通知手机号').fill('123')
  await next(page)
  await page.getByText('手机号不正确').waitFor()
  await shoot(page, 'details-errors')
  await page.getByLabel('收款人姓名').fill(who.name)
  await page.getByLabel('通知手机号').fill(who.phone)
  await next(page)
  await h1(page, '核对并提交')
  await shoot(page, 'check')
  await context.setOffline(true)
  await page.getByRole('button', { name: '确认提交' }).click()
  await page.getByText('再试一次不会重复退款').waitFor()
  await shoot(page, 'check-offline')
  await context.setOffline(false)
  await page.getByRole('button', { name: '再试一次' }).click()
  await h1(page, '已提交，请留意进度')
  await shoot(page, 'done')
  await review(card, 'approve')
  const waiting = await until('awaiting', async () => (await orders(card)).find((o) => o.status === 'awaiting_payee'))
  await page.goto(`${app}/#/`)
  await page.getByText(/确认收款/).first().waitFor()
  await shoot(page, 'home-waiting')
  await page.goto(`${app}/#/records/${waiting.id}`)
  await shoot(page, 'record-waiting')
  await page.goto(`${app}/#/records/${waiting.id}/confirm`)
  await page.getByText(/还剩 \d+ 小时/).waitFor()
  await shoot(page, 'confirm')
  await page.getByRole('button', { name: '去确认收款' }).click()
  await page.getByRole('button', { name: '确认收款' }).click()
  await page.getByRole('link', { name: '返回医院页面' }).click()
  await page.getByText('已到账').first().waitFor()
  await shoot(page, 'confirm-arrived')
  await page.goto(`${app}/#/records/${waiting.id}`)
  await page.getByText('到账时间').waitFor()
  await shoot(page, 'record-arrived')
  await page.goto(`${app}/#/records`)
  await shoot(page, 'records')
  await page.goto(`${app}/#/nothing`)
  await shoot(page, 'lost')
  await page.goto(`${app}/#/records/nobody00000000`)
  await page.getByText('没有找到这条记录').waitFor()
  await shoot(page, 'record-missing')
  await context.close()
}

async function refusals(look: Look, shoot: Shoot): Promise<void> {
  const { page, who, context } = await enter(look, look.people.alipay, 'alipay')
  const token = await page.evaluate(() => JSON.parse(localStorage.getItem('hospay_patient')!).token as string)
  const apply = (body: Record<string, unknown>) => json<{ id: string; no: string }>(
    `${app}/api/collections/refund_orders/records`,
    { token, json: { card_no: who.cards[0], method: 'transfer', payee_name: who.name, notify_phone: who.phone, notice_version: '1', ...body } }
  )
  const rejected = await apply({ amount: 1234, channel: 'alipay', payee_account: who.alipay_account })
  await page.goto(`${app}/#/records/${rejected.id}`)
  await page.getByText('待审核').first().waitFor()
  await shoot(page, 'record-reviewing')
  await review(who.cards[0]!, 'reject', '缴费单据不清楚，请补充后重新申请。'.repeat(4))
  await page.getByText('审核驳回').first().waitFor()
  await shoot(page, 'record-rejected')
  await page.goto(`${app}/#/status`)
  await shoot(page, 'status')
  await page.getByLabel('退款单号').fill(rejected.no)
  await page.getByLabel('申请人身份证号后四位').fill(who.id_no.slice(-4))
  await page.getByRole('button', { name: '查询' }).click()
  await page.getByText('审核驳回').first().waitFor()
  await shoot(page, 'status-known')
  await page.getByLabel('申请人身份证号后四位').fill('0000')
  await page.getByRole('button', { name: '查询' }).click()
  await page.getByRole('alert').first().waitFor()
  await shoot(page, 'status-unknown')
  await context.close()

  const wechat = await enter(look, look.people.wechat, 'wechat')
  const mine = await wechat.page.evaluate(() => JSON.parse(localStorage.getItem('hospay_patient')!).token as string)
  const order = await json<{ id: string; no: string }>(
    `${app}/api/collections/refund_orders/records`,
    {
      token: mine,
      json: {
        card_no: wechat.who.cards[0], amount: 150, method: 'transfer', channel: 'wechat', payee_name: wechat.who.name,
        notify_phone: wechat.who.phone, notice_version: '1',
      },
    }
  ).catch(() => null)
  if (order) {
    await review(wechat.who.cards[0]!, 'approve')
    await until('awaiting', async () => (await orders(wechat.who.cards[0]!)).some((o) => o.id === order.id && o.status === 'awaiting_payee'))
    await json(sim(WECHAT, `/_sim/expire/${order.no}T01`), { method: 'POST' })
    await until('failed', async () => (await orders(wechat.who.cards[0]!)).some((o) => o.id === order.id && o.status === 'failed'))
    await wechat.page.goto(`${app}/#/records/${order.id}/confirm`)
    await wechat.page.getByText('退款失败').first().waitFor()
    await shoot(wechat.page, 'confirm-expired')
    await wechat.page.goto(`${app}/#/records/${order.id}`)
    await shoot(wechat.page, 'record-failed')
  }
  await wechat.context.close()
}

async function proxies(look: Look, shoot: Shoot): Promise<void> {
  const { page, context } = await enter(look, look.people.agent, 'wechat')
  const principal = await person(look.people.principal, 'wechat')
  await page.goto(`${app}/#/proxy`)
  await page.getByText('还没有代办申请').waitFor()
  await shoot(page, 'proxies-empty')
  await page.goto(`${app}/#/proxy/new`)
  await page.getByLabel('被代办人姓名').waitFor()
  await page.getByRole('button', { name: '查询并继续' }).click()
  await page.getByText('请填写被代办人姓名').waitFor()
  await shoot(page, 'proxy-new-errors')
  await page.getByLabel('被代办人姓名').fill('查无此人')
  await page.getByLabel('被代办人证件号码').fill(principal.id_no)
  await page.getByLabel('被代办人就诊卡号').fill(principal.cards[0]!)
  await page.getByRole('radio', { name: look.people.kind }).check()
  await page.getByLabel('您是被代办人的').selectOption({ label: look.people.relation })
  await page.getByLabel('我已阅读并同意').check()
  await page.getByRole('button', { name: '查询并继续' }).click()
  await page.getByText('没有查到被代办人').waitFor()
  await shoot(page, 'proxy-new-not-found')
  await page.getByLabel('被代办人姓名').fill(principal.name)
  await page.getByRole('button', { name: '查询并继续' }).click()
  await h1(page, '代办详情')
  await shoot(page, 'proxy-draft')
  const helper = await browser.newPage({ viewport: { width: 900, height: 560 } })
  await helper.setContent('<body style="background:#e8eef5"><h1 style="font-size:80px">居民身份证（样张）</h1></body>')
  const buffer = await helper.screenshot({ type: 'jpeg' })
  await helper.close()
  const missing = page.locator('.photo', { hasText: '未上传' }).filter({ hasNotText: '可不传' })
  await missing.first().locator('input[type=file]').setInputFiles({ name: 'a.jpg', mimeType: 'image/jpeg', buffer: Buffer.from('<html>') })
  await page.getByText('图片无法识别').waitFor()
  await shoot(page, 'proxy-photo-refused')
  for (let n = await missing.count(); n > 0; n = await missing.count()) {
    await missing.first().locator('input[type=file]').setInputFiles({ name: 'a.jpg', mimeType: 'image/jpeg', buffer })
    await until('the photo arrived', async () => (await missing.count()) < n)
  }
  await shoot(page, 'proxy-complete')
  const id = page.url().split('/').at(-1)!
  await page.getByRole('button', { name: '提交审核' }).click()
  await page.getByText('待审核').first().waitFor()
  await shoot(page, 'proxy-submitted')
  await approveProxy(id)
  await page.getByText('审核通过').first().waitFor()
  await shoot(page, 'proxy-approved')
  await page.getByRole('button', { name: /申请退款/ }).click()
  await page.getByLabel('我已阅读并同意退款须知').check()
  await next(page)
  await page.getByText(/截至 \d\d:\d\d/).first().waitFor()
  await shoot(page, 'card-for-another')
  await page.goto(`${app}/#/proxy`)
  await shoot(page, 'proxies')
  await context.close()
}

async function entries(look: Look, shoot: Shoot): Promise<void> {
  const context = await browser.newContext({ ...phone, ...look.options })
  const page = await context.newPage()
  await page.goto(`${app}/?inst=demo`)
  await h1(page, '进入预交金退款')
  await shoot(page, 'enter')
  const { ticket } = await json<{ ticket: string }>(sim(4, '/_sim/ticket?patient=P0018&via=wechat&expired=1'))
  await page.goto(`${app}/?ticket=${encodeURIComponent(ticket)}`)
  await page.getByText('登录凭证已过期').waitFor()
  await shoot(page, 'enter-expired')
  await context.close()
  const old = await person('P0003', 'wechat')
  const other = await browser.newContext({ ...phone, ...look.options })
  const offered = await other.newPage()
  await offered.goto(`${app}/?ticket=${encodeURIComponent(old.ticket)}`)
  await offered.getByRole('dialog').getByText('使用关怀版？').waitFor()
  await shoot(offered, 'care-offered')
  await other.close()
  const v = await visit(browser, look.people.wechat, 'wechat', look.options)
  await v.page.getByRole('button', { name: 'English' }).click()
  await v.page.goto(`${app}/#/apply/notice`)
  await shoot(v.page, 'english-notice')
  await v.page.goto(`${app}/#/records`)
  await shoot(v.page, 'english-records')
  await v.context.close()
}

test.each(looks)('the patient\'s pages, $name', async (look) => {
  const shoot = camera(`portal-${look.name}`)
  await application(look, shoot)
  await refusals(look, shoot)
  await proxies(look, shoot)
  await entries(look, shoot)
})
