// Walks of a patient on a phone, through the real pages, program and simulators.
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  accessible, ALIPAY, app, fits, HIS, json, launch, moved, orders, PASSWORD, type Person, person, PORTAL, quiet, reload, review, sim, until, visit,
  WECHAT,
} from '../walk'

let browser: Browser
beforeAll(async () => { browser = await launch() })
afterAll(async () => { await browser.close() })

const h1 = (page: Page, name: string) => page.getByRole('heading', { level: 1, name, exact: true }).waitFor()

/** toDetails walks from the start to the details of the payee. */
async function toDetails(page: Page, amount: string, channel: RegExp): Promise<void> {
  await page.getByRole('button', { name: '申请退款' }).click()
  await page.getByLabel('我已阅读并同意退款须知').check()
  await page.getByRole('button', { name: '下一步' }).click()
  await h1(page, '选择就诊卡')
  await page.getByRole('radio').first().waitFor()
  if (await page.getByRole('radio').count() > 1) await page.getByRole('radio').first().check()
  if (amount) {
    await page.getByLabel('只退一部分').check()
    await page.getByLabel('退款金额（元）').fill(amount)
  }
  await page.getByRole('button', { name: '下一步' }).click()
  await h1(page, '退款渠道')
  await page.getByRole('button', { name: '下一步' }).waitFor()
  const radio = page.getByRole('radio', { name: channel })
  if (await radio.isVisible() && !await radio.isChecked()) {
    await radio.check()
    await expect.poll(() => radio.isChecked()).toBe(true)
  }
  await page.getByRole('button', { name: '下一步' }).click()
  await h1(page, '收款信息')
}

async function fillDetails(page: Page, who: Person): Promise<void> {
  await page.getByLabel('收款人姓名').fill(who.name)
  const phone = page.getByLabel('通知手机号')
  // What is put in over a number is measured beside it now and then: there is room for two, as +86 138 0000 0000.
  expect(Number(await phone.getAttribute('maxlength'))).toBeGreaterThanOrEqual(2 * '+86 138 0000 0000'.length)
  await phone.fill(who.phone)
  const account = page.getByRole('textbox', { name: '支付宝账号' })
  if (await account.isVisible()) await account.fill(who.alipay_account)
  await page.getByRole('button', { name: '下一步' }).click()
  await h1(page, '核对并提交')
}

describe('apply', () => {
  test('TestWalk_WeChatAppliedReviewedConfirmedArrived', async () => {
    const { page, who, context } = await visit(browser, 'P0002', 'wechat')
    const card = who.cards[0]!
    await accessible(page, 'home')
    await page.getByRole('button', { name: '申请退款' }).click()
    await page.getByRole('button', { name: '下一步' }).click()
    await page.getByText('请先阅读并勾选同意').waitFor()
    await accessible(page, 'notice')
    await page.getByLabel('我已阅读并同意退款须知').check()
    await page.getByRole('button', { name: '下一步' }).click()
    await page.getByText(/截至 \d\d:\d\d/).first().waitFor()
    await accessible(page, 'card')
    await page.getByRole('button', { name: '下一步' }).click()
    await page.getByText('转账退回').first().waitFor()
    await accessible(page, 'route')
    await page.getByRole('button', { name: '下一步' }).click()
    await page.getByLabel('收款人姓名').fill('错名字')
    await page.getByLabel('通知手机号').fill('123')
    await page.getByRole('button', { name: '下一步' }).click()
    await page.getByText(/不一致，请检查/).waitFor()
    await page.getByText('手机号不正确').waitFor()
    await accessible(page, 'details with errors')
    await fillDetails(page, who)
    await accessible(page, 'check')
    await page.getByRole('button', { name: '确认提交' }).click()
    await h1(page, '已提交，请留意进度')
    await accessible(page, 'done')
    const made = await orders(card)
    expect(made.length).toBeGreaterThan(0)
    await review(card, 'approve')
    const transfer = made.find((o) => o.method === 'transfer')!
    await until('the transfer awaits its payee', async () => (await orders(card)).find((o) => o.id === transfer.id)?.status === 'awaiting_payee')

    // The record tells it by itself, without a reload.
    await page.getByText('待您确认收款').first().waitFor()
    await page.goto(`${app}/#/records/${transfer.id}`)
    await h1(page, '退款详情') // the page before has a link of nearly the same name
    await page.getByRole('link', { name: '确认收款' }).or(page.getByRole('button', { name: '确认收款' })).first().click()
    await h1(page, '确认收款')
    await page.getByText(/还剩 \d+ 小时/).waitFor()
    await accessible(page, 'confirm')
    await fits(page, 'confirm')
    await page.getByRole('button', { name: '去确认收款' }).click()
    await page.getByRole('button', { name: '确认收款' }).click() // the simulator's page
    await page.getByText(/已收款/).waitFor()
    await page.getByRole('link', { name: '返回医院页面' }).click()
    await page.getByText('已到账').first().waitFor()
    await page.goto(`${app}/#/records/${transfer.id}`)
    await page.getByText('到账时间').waitFor()
    await accessible(page, 'detail')
    // The job fetches the receipt; the patient gets the channel's own file.
    const it = (
      await json<{ token: string }>(`${app}/api/collections/_superusers/auth-with-password`, { json: { identity: 'it@demo.hospay', password: PASSWORD } })
    ).token
    await until('the receipt is there', async () => {
      await json(`${app}/api/hospay/jobs/receipts/run`, { token: it, method: 'POST' }).catch(() => {}) // it may be running
      const q = new URLSearchParams({ filter: `order = "${transfer.id}"` })
      const { items } = await json<{ items: { id: string; state: string }[] }>(`${app}/api/collections/receipts/records?${q}`, { token: it })
      if (items[0]?.state === 'ready') return true
      // WeChat is asked again after two minutes; here at once.
      if (items[0]) await json(
        `${app}/api/collections/receipts/records/${items[0].id}`,
        { token: it, method: 'PATCH', json: { next_at: '2020-01-01 00:00:00.000Z' } }
      )
      return false
    })
    await reload(page)
    const file = page.waitForResponse((r) => r.url().includes('/api/files/receipts/'))
    await page.getByRole('button', { name: '下载电子回单' }).click()
    const given = await file
    expect([given.status(), given.headers()['content-type']]).toEqual([200, 'application/pdf'])
    expect(new URL(given.url()).searchParams.get('token')).toBeTruthy() // for minutes, and for this person alone
    const outside = await fetch(given.url().split('?')[0]!)
    expect(outside.status).toBe(404)
    quiet(page)
    for (const o of await orders(card)) if (o.status === 'awaiting_payee') await json(sim(WECHAT, `/_sim/confirm/${o.no}T01`), { method: 'POST' })
    const all = await until('all orders arrived', async () => {
      const list = await orders(card)
      return list.every((o) => o.status === 'succeeded') && list
    })
    const sum = all.reduce((n, o) => n + o.amount, 0)
    expect(await moved(WECHAT, all.map((o) => o.no)) + await moved(ALIPAY, all.map((o) => o.no))).toBe(sum)
    await context.close()
  })

  test('TestWalk_AlipayArrivesAtOnce_DoubleTapIsOneOrder', async () => {
    const { page, who, context } = await visit(browser, 'P0004', 'alipay')
    const card = who.cards[0]!
    await toDetails(page, '12.34', /支付宝/)
    await fillDetails(page, who)
    await page.getByRole('button', { name: '确认提交' }).dblclick()
    await h1(page, '已提交，请留意进度')
    await review(card, 'approve')
    const list = await until('paid', async () => {
      const all = await orders(card)
      return all.length > 0 && all.every((o) => o.status === 'succeeded') && all
    })
    expect(list.reduce((n, o) => n + o.amount, 0)).toBe(1234)
    expect(await moved(ALIPAY, list.map((o) => o.no)) + await moved(WECHAT, list.map((o) => o.no))).toBe(1234)
    await h1(page, '已到账')
    // Back does not lead to the check page again.
    await page.goBack()
    expect(await page.getByRole('button', { name: '确认提交' }).count()).toBe(0)
    quiet(page)
    await context.close()
  })

  test('TestWalk_RejectionTellsReason_ReapplyStartsAnew', async () => {
    const { page, who, context } = await visit(browser, 'P0006', 'alipay')
    const card = who.cards[0]!
    await toDetails(page, '5', /支付宝/)
    await fillDetails(page, who)
    await page.getByRole('button', { name: '确认提交' }).click()
    await h1(page, '已提交，请留意进度')
    await review(card, 'reject', '缴费单据不清楚，请补充')
    await until('rejected', async () => (await orders(card)).every((o) => o.status === 'rejected'))
    await page.getByRole('link', { name: '退款记录' }).or(page.getByRole('button', { name: '退款记录' })).first().click()
    await page.getByText('审核驳回').first().click()
    await page.getByText('原因：缴费单据不清楚，请补充').waitFor()
    await page.getByText('余额已退回就诊卡').first().waitFor()
    await accessible(page, 'rejected detail')
    await page.getByRole('button', { name: '重新申请' }).click()
    await h1(page, '预交金退款须知')
    quiet(page)
    await context.close()
  })

  test('TestWalk_ConfirmationExpired_ReapplyAfterTheStateIsClosed', async () => {
    const { page, who, context } = await visit(browser, 'P0010', 'wechat')
    const card = who.cards[0]!
    await toDetails(page, '', /微信/)
    await fillDetails(page, who)
    await page.getByRole('button', { name: '确认提交' }).click()
    await h1(page, '已提交，请留意进度')
    await review(card, 'approve')
    const transfer = await until('awaiting', async () => (await orders(card)).find((o) => o.status === 'awaiting_payee'))
    await page.goto(`${app}/#/records/${transfer.id}/confirm`)
    await page.getByText(/还剩/).waitFor()
    expect(await page.getByRole('button', { name: '重新申请' }).count()).toBe(0)
    await json(sim(WECHAT, `/_sim/expire/${transfer.no}T01`), { method: 'POST' })
    await page.getByText('退款失败').first().waitFor()
    await page.getByRole('button', { name: '重新申请' }).click()
    await h1(page, '预交金退款须知')
    quiet(page)
    await context.close()
  })

  test('TestWalk_ReloadInTheMiddleKeepsTheDraft', async () => {
    const { page, who, context } = await visit(browser, 'P0012', 'alipay')
    await toDetails(page, '3.21', /支付宝/)
    await page.getByLabel('收款人姓名').fill(who.name)
    await page.getByLabel('通知手机号').fill(who.phone)
    await page.waitForTimeout(100)
    await reload(page)
    await h1(page, '收款信息')
    expect(await page.getByLabel('收款人姓名').inputValue()).toBe(who.name)
    expect(await page.getByLabel('通知手机号').inputValue()).toBe(who.phone)
    await fillDetails(page, who)
    await page.getByText('¥3.21').first().waitFor()
    await page.getByRole('button', { name: '确认提交' }).click()
    await h1(page, '已提交，请留意进度')
    quiet(page)
    await context.close()
  })

  test('TestWalk_OfflineInTheMiddle_TryingAgainIsTheSameOrder', async () => {
    const { page, who, context } = await visit(browser, 'P0014', 'alipay')
    const card = who.cards[0]!
    await toDetails(page, '4', /支付宝/)
    await fillDetails(page, who)
    // The order arrives, its answer does not.
    let lost = 0
    await page.route('**/api/collections/refund_orders/records', async (route) => {
      if (route.request().method() !== 'POST' || lost++ > 0) return route.continue()
      await route.fetch()
      await route.abort('internetdisconnected')
    })
    await page.getByRole('button', { name: '确认提交' }).click()
    await page.getByText('再试一次不会重复退款').waitFor()
    await accessible(page, 'check without an answer')
    await context.setOffline(true)
    await page.getByRole('button', { name: '再试一次' }).click()
    await page.getByText('再试一次不会重复退款').waitFor()
    await context.setOffline(false)
    await page.getByRole('button', { name: '再试一次' }).click()
    await h1(page, '已提交，请留意进度')
    const list = await orders(card)
    expect(list.reduce((n, o) => n + o.amount, 0)).toBe(400)
    await context.close()
  })

  test('TestWalk_ReloadWhileSending_IsTheSameOrder', async () => {
    const { page, who, context } = await visit(browser, 'P0020', 'alipay')
    const card = who.cards[0]!
    await toDetails(page, '7.77', /支付宝/)
    await fillDetails(page, who)
    // The order arrives; the webview is reloaded before the answer does.
    let held = 0
    await page.route('**/api/collections/refund_orders/records', async (route) => {
      if (route.request().method() !== 'POST' || held++ > 0) return route.continue()
      await route.fetch()
      await reload(page)
      await route.abort().catch(() => {})
    })
    await page.getByRole('button', { name: '确认提交' }).click()
    await until('the first sending', async () => held > 0 && (await orders(card)).length > 0)
    await h1(page, '核对并提交')
    await page.getByRole('button', { name: '确认提交' }).click()
    await h1(page, '已提交，请留意进度')
    const list = await orders(card)
    expect(list.reduce((n, o) => n + o.amount, 0)).toBe(777)
    await context.close()
  })

  test('TestWalk_SessionEndsInTheMiddle_DraftIsStillThere', async () => {
    const { page, who, context } = await visit(browser, 'P0016', 'alipay')
    await toDetails(page, '6.66', /支付宝/)
    await page.getByLabel('收款人姓名').fill(who.name)
    await page.waitForTimeout(100)
    await page.evaluate(() => {
      const held = JSON.parse(localStorage.getItem('hospay_patient')!)
      held.token = held.token.slice(0, -4) + 'xxxx' // the server no longer believes it
      localStorage.setItem('hospay_patient', JSON.stringify(held))
    })
    await reload(page)
    await page.getByText('登录已过期').waitFor()
    await h1(page, '进入预交金退款')
    await accessible(page, 'enter after the session ended')
    const again = await person('P0016', 'alipay')
    await page.goto(`${app}/?ticket=${encodeURIComponent(again.ticket)}`)
    await h1(page, '收款信息')
    expect(await page.getByLabel('收款人姓名').inputValue()).toBe(who.name)
    await context.close()
  })
})

describe('entry', () => {
  test('TestEntry_ExpiredForgedAndUsedTicketsAreTold', async () => {
    const context = await browser.newContext()
    const page = await context.newPage()
    for (const [query, sentence] of [['expired=1', '登录凭证已过期'], ['forged=1', '登录凭证无效']] as const) {
      const { ticket } = await json<Person>(sim(PORTAL, `/_sim/ticket?patient=P0018&via=wechat&${query}`))
      await page.goto(`${app}/?ticket=${encodeURIComponent(ticket)}`)
      await page.getByText(sentence).waitFor()
      expect(page.url()).not.toContain('ticket')
    }
    const { ticket } = await person('P0018', 'wechat')
    await page.goto(`${app}/?ticket=${encodeURIComponent(ticket)}`)
    await page.getByText('您好').waitFor()
    const other = await browser.newContext()
    const second = await other.newPage()
    await second.goto(`${app}/?ticket=${encodeURIComponent(ticket)}`)
    await second.getByText('登录凭证已被使用').waitFor()
    await other.close()
    await context.close()
  })

  test('TestEntry_OAuthComesBackToTheSamePlace_ForeignCodeIsRefused', async () => {
    const { context } = await visit(browser, 'P0011', 'wechat') // binds the account
    await context.close()
    const fresh = await browser.newContext({ viewport: { width: 375, height: 812 }, locale: 'zh-CN' })
    const page = await fresh.newPage()
    await page.goto(`${app}/#/records`)
    await h1(page, '进入预交金退款')
    await page.getByRole('button', { name: '微信授权进入' }).click()
    await page.getByRole('link', { name: /P0011/ }).click() // WeChat asks who is holding the phone
    await h1(page, '退款记录')
    expect(page.url()).not.toContain('code=')
    await fresh.close()

    // A code that this browser did not ask for logs nobody in.
    const victim = await browser.newContext({ locale: 'zh-CN' })
    const p = await victim.newPage()
    const { code } = await json<{ code: string }>(sim(WECHAT, '/_sim/code?patient=P0011'))
    const asked: string[] = []
    p.on('request', (r) => { if (r.url().includes('/auth/')) asked.push(r.url()) })
    await p.goto(`${app}/?code=${code}&state=0123456789abcdef0123456789abcdef`)
    await p.getByText('授权已失效').waitFor()
    expect(asked).toEqual([])
    await victim.close()
  })

  test('TestStatus_WithoutLoginTellsTheStateAndNothingElse', async () => {
    const list = await until('an order', async () => {
      const all = await orders('C0006')
      return all.length > 0 && all
    })
    const who = await person('P0006', 'wechat')
    const context = await browser.newContext({ viewport: { width: 375, height: 812 }, locale: 'zh-CN' })
    const page = await context.newPage()
    await page.goto(`${app}/#/status`)
    await page.getByLabel('退款单号').fill(list[0]!.no)
    await page.getByLabel('申请人身份证号后四位').fill('000')
    await page.getByRole('button', { name: '查询' }).click()
    await page.getByText('请填写身份证号的最后四位').waitFor()
    await accessible(page, 'status')
    await page.getByLabel('申请人身份证号后四位').fill(who.id_no.slice(-4))
    await page.getByRole('button', { name: '查询' }).click()
    await page.getByText('审核驳回').waitFor()
    const text = await page.locator('main').innerText()
    for (const secret of [who.name, who.name.slice(0, 1) + '*', 'C0006', who.phone, '¥']) expect(text).not.toContain(secret)
    await context.close()
  })

  test('TestHIS_DownIsTold_BalanceUnchanged', async () => {
    await json(
      sim(HIS, '/_sim/faults'),
      { json: { plan: [{ match: 'cards', nth: 1, fault: '500_before', times: 50 }, { match: 'balance', nth: 1, fault: '500_before', times: 50 }] } }
    )
    const { page, context } = await visit(browser, 'P0015', 'wechat') // the start page stands without the balance
    await page.getByRole('button', { name: '申请退款' }).click()
    await page.getByLabel('我已阅读并同意退款须知').check()
    await page.getByRole('button', { name: '下一步' }).click()
    await page.getByText('医院系统暂时无法查询，您的余额没有变化').waitFor()
    await accessible(page, 'card while HIS is down')
    await json(sim(HIS, '/_sim/faults'), { method: 'DELETE' })
    await page.getByRole('button', { name: '再试一次' }).click()
    await page.getByText(/截至/).first().waitFor()
    await context.close()
  })
})
