// Payments as staff see them: the list, a payment with all that is known of it, a
// refund that takes two people, and what lies on the desks.
import { mkdirSync } from 'node:fs'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ALIPAY, app, HIS, json, launch, person, reload, sim, staff, until } from '../walk'
import { code, open, serious, set, sit, swept } from './desk'

let browser: Browser
beforeAll(async () => {
  await set('institutions', { refund_alone: 0 })
  browser = await launch()
})
afterAll(async () => {
  await set('institutions', { refund_alone: 100_000 })
  await browser.close()
})

interface Payment { id: string; no: string; status: string; out_trade_no: string; cash_back: number }

const payment = async (id: string) => (
  json<Payment>(`${app}/api/collections/payment_orders/records/${id}`, { token: await staff('finance') })
)
const is = (id: string, status: string) => until(`${id} is ${status}`, async () => (await payment(id)).status === status)

/** paid makes a bill of a patient and pays it with own money; it comes back when HIS was told, or has answered. */
async function paid(patient: string, fen: number, ends = 'done'): Promise<Payment & { name: string }> {
  const who = await person(patient, 'alipay')
  const { token } = await json<{ token: string }>(`${app}/api/hospay/auth/ticket`, { json: { ticket: who.ticket } })
  const card_no = who.cards[0]!
  const { bill_no } = await json<{ bill_no: string }>(
    sim(HIS, '/_sim/bills'), { json: { patient, kind: 'outpatient', amount: fen, insurable: false } }
  )
  await json(`${app}/api/hospay/cards`, { token })
  await json(`${app}/api/hospay/bills?card_no=${card_no}`, { token })
  const { id } = await json<{ id: string }>(
    `${app}/api/collections/payment_orders/records`, { token, json: { bill_no, card_no, channel: 'alipay', terminal: 'h5', insured: false } }
  )
  await is(id, 'paying')
  await json(sim(ALIPAY, `/_sim/pay/${(await payment(id)).out_trade_no}`), { method: 'POST' })
  await is(id, ends)
  return { ...await payment(id), name: who.name }
}

/** widths looks at a page as wide as desks are: nothing sticks out, axe finds nothing at all. */
async function widths(page: Page, where: string): Promise<void> {
  await serious(page, where, true)
  const own = page.viewportSize()!
  for (const width of [1440, 1366, 1093]) {
    await page.setViewportSize({ width, height: 800 })
    await expect.poll(
      () => page.evaluate(() => document.documentElement.scrollWidth - innerWidth), { message: `${where} scrolls sideways at ${width} px` }
    ).toBeLessThanOrEqual(0)
    if (process.env.LOOK) {
      mkdirSync(process.env.LOOK, { recursive: true })
      await page.screenshot({ path: `${process.env.LOOK}/${where.replace(/\W+/g, '-')}-${width}.png`, fullPage: true })
    }
  }
  await page.setViewportSize(own)
}

const tab = (page: Page, name: RegExp) => page.getByRole('tab', { name })

test('TestConsole_Payments_RefundProposedByOneConfirmedByAnother', async () => {
  const first = await sit(browser, 'cashier')
  await open(first.page, '/payments', '缴费订单')
  await first.page.getByText('没有需要人工处理的缴费').waitFor()
  await widths(first.page, 'nothing needs people')
  const made = await paid(code(31), 12_345)
  const { page } = first

  // The list: filtered by what is on the receipt, kept in the address, found again by the back button.
  await tab(page, /^全部/).click()
  await page.getByLabel('姓名、电话或单号').fill(made.out_trade_no)
  await page.getByRole('button', { name: '查询', exact: true }).click()
  await page.getByRole('link', { name: made.no }).waitFor()
  expect(await page.locator('.el-table__body tr').count()).toBe(1)
  expect(new URL(page.url()).hash).toContain(`no=${made.out_trade_no}`)
  expect(await page.locator('main').innerText()).not.toContain(made.name)
  // Who stands at the window is found by name; nothing in the address tells it, and a reload still does.
  const box = page.getByLabel('姓名、电话或单号')
  await box.fill(made.name)
  await page.getByRole('button', { name: '查询', exact: true }).click()
  await expect.poll(() => new URL(page.url()).hash).toContain('find=')
  expect(decodeURIComponent(page.url())).not.toContain(made.name)
  await page.getByRole('link', { name: made.no }).waitFor()
  await reload(page)
  await page.getByRole('link', { name: made.no }).waitFor()
  await expect.poll(() => box.inputValue()).toBe(made.name)
  await widths(page, 'payments')
  await page.getByRole('link', { name: made.no }).click()
  await page.getByRole('heading', { level: 1, name: /缴费详情/ }).waitFor()
  await page.getByText('HIS 现在：已入账').waitFor()
  await page.getByText('HIS 结算回写').waitFor()
  expect(await page.getByText('不一致').count()).toBe(0)
  expect(await page.getByRole('button', { name: '只退医保部分' }).isDisabled()).toBe(true)
  await widths(page, 'payment')

  // What is too much is refused before anybody is asked; a long reason stays in its place.
  await page.getByRole('button', { name: '只退自费部分' }).click()
  await page.getByLabel('退费金额').fill('999')
  await page.getByRole('alert').getByText('请填写不超过').waitFor()
  await page.getByLabel('退费金额').fill('23.45')
  await page.getByLabel('退费原因').fill('患者做了一半检查后医生认为不需要继续，经科主任同意退回剩余部分。'.repeat(12))
  await page.getByText('提出后由另一位同事确认').waitFor()
  await widths(page, 'refund')
  await page.getByRole('button', { name: '提出退费' }).click()
  await page.getByRole('heading', { name: '待第二人确认的退费' }).waitFor()
  await page.getByText('确认前不会退任何款项').waitFor()
  expect(await page.getByRole('button', { name: '确认退费' }).count()).toBe(0)
  await expect.poll(() => page.getByRole('button', { name: '整单退费' }).isDisabled()).toBe(true)
  expect((await payment(made.id)).cash_back).toBe(0)
  await swept(page)
  await widths(page, 'refund proposed')

  // Another person finds it among what needs people.
  const second = await sit(browser, 'reviewer2', 'narrow')
  await open(second.page, '/payments', '缴费订单')
  await second.page.getByRole('row').filter({ hasText: made.no }).getByText('待第二人').waitFor()
  await tab(second.page, /^需要人工（\d+）/).waitFor()
  await second.page.locator('.side').getByText('缴费订单').waitFor()
  await widths(second.page, 'needs people')
  await second.page.getByRole('link', { name: made.no }).click()
  await second.page.getByRole('button', { name: '确认退费' }).click()
  const dialog = second.page.getByRole('dialog', { name: '确认退费' })
  await dialog.getByText('确认后马上退款').waitFor()
  await widths(second.page, 'second person')
  await dialog.getByRole('button', { name: '确认退费' }).click()
  await is(made.id, 'part_refunded')
  expect((await payment(made.id)).cash_back).toBe(2345)
  await second.page.getByRole('heading', { level: 1, name: /部分退费/ }).waitFor()
  await second.page.getByText('第二人确认退费').first().waitFor()
  await page.getByRole('heading', { level: 1, name: /部分退费/ }).waitFor() // the first one's page follows
  await widths(second.page, 'part refunded')

  // One's own proposal is withdrawn again.
  await page.getByRole('button', { name: '整单退费' }).click()
  await page.getByLabel('退费原因').fill('患者要求全部退回')
  await page.getByRole('button', { name: '提出退费' }).click()
  await page.getByRole('button', { name: '撤回', exact: true }).click()
  await page.getByRole('dialog', { name: '撤回退费' }).getByRole('button', { name: '撤回退费' }).click()
  await page.getByText('未同意').first().waitFor()
  expect((await payment(made.id)).status).toBe('part_refunded')
  await second.context.close()
  await first.context.close()
})

test('TestConsole_Payments_PagesAndTrouble', async () => {
  const { page, context } = await sit(browser, 'auditor')
  const list = '**/api/hospay/payments?*'
  await page.route(list, (r) => r.fulfill({ status: 500, contentType: 'application/json', body: '{"status":500,"message":"服务器暂时出错，请稍后再试。","data":{}}' }))
  await open(page, '/payments?needs=', '缴费订单')
  await page.getByRole('alert').waitFor()
  await widths(page, 'list in trouble')
  await page.unroute(list)
  // A list of more than a page: what the server tells, three times as long.
  const line = await json<{ items: Record<string, unknown>[] }>(`${app}/api/hospay/payments?per_page=1`, { token: await staff('auditor') })
  const asked: string[] = []
  await page.route(list, (r) => {
    const n = Number(new URL(r.request().url()).searchParams.get('page'))
    asked.push(String(n))
    const items = Array.from({ length: n === 3 ? 20 : 50 }, (_, i) => ({ ...line.items[0], id: `x${n}${i}` }))
    void r.fulfill({ contentType: 'application/json', body: JSON.stringify({ items, count: 120, page: n, per_page: 50 }) })
  })
  await page.getByRole('button', { name: '查询', exact: true }).click()
  await page.getByText('第 1 页，共 120 条').waitFor()
  await page.getByRole('button', { name: '下一页' }).click()
  await page.getByText('第 2 页，共 120 条').waitFor()
  expect(new URL(page.url()).hash).toContain('page=2')
  await reload(page)
  await page.getByText('第 2 页，共 120 条').waitFor()
  await page.getByRole('button', { name: '下一页' }).click()
  await expect.poll(() => page.getByRole('button', { name: '下一页' }).isDisabled()).toBe(true)
  await page.goBack()
  await page.getByText('第 2 页，共 120 条').waitFor()
  expect(asked.at(-1)).toBe('2')
  await context.close()
})

test('TestConsole_Payments_DeskOrderEndedByTwo', async () => {
  await json(sim(HIS, '/_sim/faults'), { json: { plan: ['charge', 'trade_check'].map((match) => ({ match, nth: 1, fault: 'lie_amount', times: 900 })) } })
  const made = await paid(code(32), 6_600, 'suspense')
  await json(sim(HIS, '/_sim/faults'), { method: 'DELETE' })
  const a = await sit(browser, 'finance')
  await open(a.page, '/suspense', '挂账处理')
  const card = (page: Page) => page.locator('section', { hasText: made.no })
  await card(a.page).getByText('缴费 门诊').waitFor()
  await card(a.page).getByText('对方的金额或单号与这笔').waitFor()
  await widths(a.page, 'suspense of both')
  await until('a send is no longer under way', async () => { // a minute
    await card(a.page).getByRole('button', { name: 'HIS 已入账' }).click()
    const ask = a.page.getByRole('dialog', { name: 'HIS 已入账' })
    await ask.getByLabel('理由').fill('与收费处核对，HIS 已按原金额入账')
    await ask.getByLabel('凭证号').fill('SF-20260102-7')
    await ask.getByRole('button', { name: '提出', exact: true }).click()
    const proposed = card(a.page).getByText('需要另一位同事确认')
    await proposed.or(a.page.getByText('请稍后再试').first()).first().waitFor()
    if (await proposed.isVisible()) return true
    await ask.getByRole('button', { name: '取消' }).click()
    await a.page.waitForTimeout(10_000)
    return false
  })
  const b = await sit(browser, 'reviewer1', 'narrow')
  await open(b.page, `/payments/${made.id}`, '缴费详情')
  await b.page.getByRole('heading', { name: '挂账处理' }).waitFor()
  await widths(b.page, 'payment on the desk')
  await b.page.getByRole('button', { name: '确认执行' }).click()
  await b.page.getByRole('dialog', { name: '确认执行' }).getByRole('button', { name: '确认执行' }).click()
  await is(made.id, 'done')
  await b.page.getByText('两个人核实 HIS 已入账').waitFor()
  await open(b.page, '/suspense', '挂账处理')
  await b.page.getByText('没有挂账的订单').waitFor()
  await b.context.close()
  await a.context.close()
})

test('TestConsole_Payments_UnknownDeskListsThem', async () => {
  await json(
    sim(HIS, '/_sim/faults'),
    { json: { plan: [{ match: 'charge', nth: 1, fault: '500_after', times: 1 }, { match: 'trade_check', nth: 1, fault: '500_before', times: 900 }] } }
  )
  const made = await paid(code(35), 5_500, 'writing')
  const { page, context } = await sit(browser, 'finance')
  await until('it is open', async () => (
    await json<{ items: { id: string }[] }>(`${app}/api/hospay/payments/desk/unknown`, { token: await staff('finance') })
  ).items.some((r) => r.id === made.id))
  await open(page, '/unknown', '结果待查')
  const row = page.getByRole('row').filter({ hasText: made.no })
  await row.getByText('HIS 是否已入账').waitFor()
  await row.getByText('缴费').waitFor()
  await widths(page, 'unknown of both')
  await open(page, `/payments/${made.id}`, '缴费详情')
  await page.getByText('HIS 现在：').waitFor()
  expect(await page.getByRole('button', { name: '立即查询' }).isEnabled()).toBe(true)
  await widths(page, 'payment that is open')
  await json(sim(HIS, '/_sim/faults'), { method: 'DELETE' })
  await page.getByRole('button', { name: '立即查询' }).click()
  await is(made.id, 'done')
  await page.getByRole('heading', { level: 1, name: /已缴费/ }).waitFor()
  await context.close()
})

test('TestConsole_PaymentStatistics_BehindAFigureStandItsPayments', async () => {
  const own = await paid(code(36), 4_321)
  const other = await paid(code(37), 6_543)
  const { page, context } = await sit(browser, 'finance')
  await open(page, '/payment-stats', '缴费统计')
  await page.getByRole('button', { name: '今天', exact: true }).click()
  const sum = page.locator('tfoot tr')
  await sum.waitFor()
  await widths(page, 'payment statistics')
  const count = Number(await sum.getByRole('link').first().innerText())
  expect(count).toBeGreaterThanOrEqual(2)
  const download = page.waitForEvent('download')
  await page.getByRole('button', { name: '导出报表' }).click()
  expect((await download).suggestedFilename()).toMatch(/^缴费统计/)
  await sum.getByRole('link').first().click()
  await page.getByRole('heading', { level: 1, name: '缴费订单' }).waitFor()
  await page.getByRole('link', { name: own.no }).waitFor()
  await page.getByRole('link', { name: other.no }).waitFor()
  expect(await page.locator('.el-table__body tr').count()).toBe(Math.min(50, count))
  await widths(page, 'payments behind a figure')
  await page.goBack()
  await page.getByRole('heading', { level: 1, name: '缴费统计' }).waitFor()
  await context.close()
})
