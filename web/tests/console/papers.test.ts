// What an order leaves behind: its receipt, and the notices about it.
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ALIPAY, app, json, launch, reload, sim, staff, until, WECHAT } from '../walk'
import { apply, code, it, open, serious, sit, state } from './desk'

let browser: Browser
beforeAll(async () => { browser = await launch() })
afterAll(async () => { await browser.close() })

/** paid makes an order whose money has arrived. */
async function paid(n: number, via: 'wechat' | 'alipay', fen: number): Promise<{ id: string; no: string }> {
  const { id } = await apply(code(n), via, fen)
  await until('to review', async () => (await state(id)) === 'reviewing')
  await json(`${app}/api/collections/reviews/records`, { token: await staff('reviewer2'), json: { order: id, decision: 'approve', note: '' } })
  const { no } = await json<{ no: string }>(`${app}/api/collections/refund_orders/records/${id}`, { token: await staff('reviewer2') })
  if (via === 'wechat') {
    await until('awaiting', async () => (await state(id)) === 'awaiting_payee')
    await json(sim(WECHAT, `/_sim/confirm/${no}T01`), { method: 'POST' })
  }
  await until('paid', async () => (await state(id)) === 'succeeded')
  return { id, no }
}

/** collect runs the job of the receipts, as IT does in the overview; it may be running already. */
const collect = async () => { await json(`${app}/api/hospay/jobs/receipts/run`, { token: await it(), method: 'POST' }).catch(() => {}) }

interface Missing { id: string; order_no: string; tries: number }
async function missing(no: string): Promise<Missing | undefined> {
  return (
    await json<{ items: Missing[] }>(`${app}/api/hospay/receipts/missing?from=2020-01-01&to=2099-12-31&per_page=500`, { token: await staff('auditor') })
  ).items.find((r) => r.order_no === no)
}

/** turnTo turns the pages of the list until an order is on one: other walks leave receipts, too. */
async function turnTo(page: Page, no: string): Promise<void> {
  await page.getByRole('row').nth(1).waitFor()
  for (let n = 0; n < 10 && await page.getByRole('row').filter({ hasText: no }).count() === 0; n++) {
    await page.getByRole('button', { name: '下一页' }).click()
    await page.waitForTimeout(500)
  }
  await page.getByRole('row').filter({ hasText: no }).waitFor()
}

test('TestConsole_MissingReceiptIsListed_AskedForAnew_Downloaded', async () => {
  await json(sim(WECHAT, '/_sim/faults'), { json: { plan: [{ match: 'receipt', nth: 1, fault: '500_before', times: 500 }] } })
  const { id, no } = await paid(11, 'wechat', 37_21)
  await until('the channel gave no receipt', async () => {
    await collect()
    return ((await missing(no))?.tries ?? 0) > 0
  })
  const { page, context } = await sit(browser, 'finance')
  await page.getByRole('link', { name: '电子回单' }).click()
  await page.getByRole('heading', { level: 1, name: '电子回单' }).waitFor()
  const row = page.getByRole('row').filter({ hasText: no })
  await turnTo(page, no)
  await row.getByText('¥37.21').waitFor()
  const half = new Date(Date.now() + 8 * 3_600_000) // Beijing
  const day = half.getUTCDate()
  half.setUTCMonth(half.getUTCMonth() + 6)
  if (half.getUTCDate() !== day) half.setUTCDate(0) // the month has no such day
  await row.getByText(half.toISOString().slice(0, 10)).waitFor() // WeChat keeps it for half a year
  expect(await row.innerText()).toMatch(/等待[\s\S]*1 次/)
  await serious(page, 'missing receipts')
  await page.getByLabel('日期从').fill('2024-01-02')
  await page.getByLabel('日期到').fill('2024-01-01')
  await page.getByRole('button', { name: '查询' }).click()
  await page.getByRole('alert').waitFor() // the wrong way round
  await page.getByLabel('日期从').fill('2023-01-02')
  await page.getByRole('button', { name: '查询' }).click()
  await page.getByText('这段时间的回单都齐了').waitFor()
  const other = await sit(browser, 'auditor', 'narrow')
  await open(other.page, '/receipts', '电子回单')
  await turnTo(other.page, no)
  expect(await other.page.getByRole('button', { name: /^重取/ }).count()).toBe(0) // finance asks
  await serious(other.page, 'missing receipts, narrow')
  await other.context.close()

  await json(sim(WECHAT, '/_sim/faults'), { method: 'DELETE' })
  await reload(page)
  await turnTo(page, no)
  const arrives = page.waitForEvent('download')
  await page.getByRole('button', { name: '整月回单打包下载' }).click()
  expect((await arrives).suggestedFilename()).toMatch(/^电子回单-\d{4}-\d{2}\.zip$/)
  await page.getByText('没有的回单和原因在').waitFor()
  await serious(page, 'receipts of a month')
  await row.getByRole('button', { name: `重取 ${no}` }).click()
  await page.getByText('已重新排队').waitFor()
  await expect.poll(() => row.innerText()).toContain('0 次')
  const last = (await missing(no))!
  await until('the receipt is there', async () => { // asked for, then fetched two minutes later: not in a walk
    await collect()
    await json(`${app}/api/collections/receipts/records/${last.id}`, { token: await it(), method: 'PATCH', json: { next_at: '2020-01-01 00:00:00.000Z' } })
    return !(await missing(no))
  })
  await page.getByRole('button', { name: '查询' }).click()
  await expect.poll(() => row.count()).toBe(0)
  await open(page, `/orders/${id}`, '退款详情')
  const download = page.waitForEvent('download')
  await page.getByRole('button', { name: '电子回单' }).click()
  expect((await download).suggestedFilename()).toBe(`${no}-回单.pdf`)
  await context.close()
})

test('TestConsole_NoticesOfAnOrderAreListedAndSentAgain', async () => {
  const { id } = await paid(12, 'alipay', 22_22)
  const sent = async () => (await json<{ messages: unknown[] }>(sim(ALIPAY, '/_sim/messages'))).messages.length
  const { page, context } = await sit(browser, 'reviewer1')
  await open(page, `/orders/${id}`, '退款详情')
  const card = page.locator('section.card', { has: page.getByRole('heading', { name: '通知' }) })
  await card.getByRole('row').filter({ hasText: '站内' }).getByText('已发').waitFor()
  const row = card.getByRole('row').filter({ hasText: '支付宝' })
  await expect.poll(async () => {
    await reload(page)
    await row.waitFor()
    return row.innerText()
  }).toContain('已发')
  await serious(page, 'notices of an order')
  expect(await card.getByRole('row').filter({ hasText: '站内' }).getByRole('button').count()).toBe(0) // to be seen is to be sent
  const before = await sent()
  await row.getByRole('button', { name: '重发退款到账的支付宝通知' }).click()
  await until('told once more', async () => (await sent()) === before + 1)
  await row.getByText('已发').waitFor()
  await context.close()
  const other = await sit(browser, 'auditor', 'narrow')
  await open(other.page, `/orders/${id}`, '退款详情')
  await other.page.getByRole('heading', { name: '通知' }).waitFor()
  expect(await other.page.getByRole('button', { name: /^重发/ }).count()).toBe(0)
  await serious(other.page, 'notices, narrow')
  await other.context.close()
})
