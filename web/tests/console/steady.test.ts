// Work that goes on while others work: nothing that somebody has begun is lost to
// what happens elsewhere.
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { app, json, launch, staff, until } from '../walk'
import { apply, choose, code, inSight, live, open, serious, sit, state } from './desk'

let browser: Browser
beforeAll(async () => { browser = await launch() })
afterAll(async () => { await browser.close() })

const reviewing = (id: string) => until(`${id} to review`, async () => (await state(id)) === 'reviewing')

test('TestConsole_TickedRowsSurviveWhatOthersDo', async () => {
  const first = await apply(code(241), 'alipay', 5101)
  await reviewing(first.id)
  const { page, context } = await sit(browser, 'reviewer1')
  await open(page, '/queue', '退款订单')
  await live(page, /\/api\/hospay\/queue\?/)
  const row = (card: string) => page.getByRole('row').filter({ hasText: card })
  await row(first.card).locator('.el-checkbox').click()
  await page.getByRole('button', { name: '批量审核（1）' }).waitFor()
  await row(first.card).click()
  const second = await apply(code(242), 'alipay', 5102) // somebody applies meanwhile
  await reviewing(second.id)
  await row(second.card).waitFor() // and is seen by itself
  await page.getByRole('button', { name: '批量审核（1）' }).waitFor()
  expect(await row(first.card).getByRole('checkbox').isChecked()).toBe(true)
  expect(await page.locator('.el-table .chosen').innerText()).toContain(first.card)
  // What a colleague has decided leaves the list, and the ticks with it.
  await row(second.card).locator('.el-checkbox').click()
  await page.getByRole('button', { name: '批量审核（2）' }).waitFor()
  await json(`${app}/api/collections/reviews/records`, { token: await staff('reviewer2'), json: { order: second.id, decision: 'approve', note: '' } })
  await row(second.card).waitFor({ state: 'detached' })
  await page.getByRole('button', { name: '批量审核（1）' }).waitFor()
  await context.close()
})

test('TestConsole_TheListIsReadAgainOnlyForWhatItShows', async () => {
  const shown = await apply(code(243), 'alipay', 5201)
  await reviewing(shown.id)
  const { page, context } = await sit(browser, 'reviewer1')
  await open(page, '/queue?tab=rejected', '退款订单')
  await page.getByRole('tab', { name: /待审核（[1-9]/ }).waitFor()
  await live(page, /\/api\/hospay\/queue\?/)
  let readings = 0
  page.on('request', (r) => { if (/\/api\/hospay\/queue\?/.test(r.url()) && !r.url().includes('sum=')) readings++ })
  // What waits for review is not on this tab. The house may have an order of its own for it meanwhile: then once more.
  let other = shown
  await expect.poll(async () => {
    readings = 0
    const counted = page.waitForResponse((r) => r.url().includes('/queue/counts'))
    other = await apply(code(244), 'alipay', 5202)
    await reviewing(other.id)
    await counted
    await page.waitForTimeout(1500)
    const seen = readings
    if (seen) {
      await json(`${app}/api/collections/reviews/records`, { token: await staff('reviewer2'), json: { order: other.id, decision: 'reject', note: '重来' } })
    }
    return seen
  }, { interval: 2000 }).toBe(0)
  await json(`${app}/api/collections/reviews/records`, { token: await staff('reviewer2'), json: { order: other.id, decision: 'reject', note: '请到窗口办理' } })
  await page.getByRole('row').filter({ hasText: other.card }).first().waitFor() // or that of an attempt before
  await expect.poll(() => readings).toBeGreaterThan(0)
  await context.close()
})

test('TestConsole_WhatWasRefusedStaysTold_OpenDialogsStay', async () => {
  const { id } = await apply(code(245), 'alipay', 5301)
  await reviewing(id)
  const { page, context } = await sit(browser, 'reviewer1')
  await open(page, `/orders/${id}`, '退款详情')
  await page.getByRole('button', { name: '驳回（R）' }).click()
  // The server is gone for a moment: the dialog says so, with what was typed.
  await page.route('**/api/collections/reviews/records', (r) => r.abort())
  await page.getByLabel('驳回原因').fill('请核对收款人')
  await page.getByRole('button', { name: '确认驳回' }).click()
  const dialog = page.getByRole('dialog', { name: '驳回' })
  await dialog.getByRole('alert').waitFor()
  expect(await page.getByLabel('驳回原因').inputValue()).toBe('请核对收款人')
  // Something happens to the order that changes nothing about that.
  const read = page.waitForResponse((r) => r.url().includes(`/refunds/${id}/timeline`))
  await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')))
  await read
  await page.waitForTimeout(500)
  expect(await dialog.getByRole('alert').isVisible()).toBe(true)
  await page.unroute('**/api/collections/reviews/records')
  await page.getByRole('button', { name: '确认驳回' }).click()
  await until('rejected', async () => (await state(id)) === 'rejected')
  await dialog.waitFor({ state: 'hidden' })
  await context.close()
})

test('TestConsole_AReviewTakesTwoKeys_TheNextOpens', async () => {
  const made = [await apply(code(246), 'alipay', 5311), await apply(code(247), 'alipay', 5312)]
  for (const { id } of made) await reviewing(id)
  const { page, context } = await sit(browser, 'reviewer1')
  await open(page, '/queue', '退款订单')
  const row = page.getByRole('row').filter({ hasText: made[0]!.card })
  await row.waitFor()
  await page.getByText(/第 1 页，共 \d+ 笔，合计/).waitFor()
  const order = () => page.url().split('/').at(-1)
  await row.getByRole('link', { name: '审核', exact: true }).click()
  await page.getByText('自动审核规则').waitFor()
  await page.keyboard.press('a') // key 1
  await expect.poll(() => page.evaluate(() => document.activeElement?.textContent?.trim())).toBe('确认通过')
  await page.keyboard.press('Enter') // key 2
  await page.getByText(/已通过 R\d+/).waitFor()
  await expect.poll(order).not.toBe(made[0]!.id) // the next one that waits
  expect(await state(made[0]!.id)).not.toBe('reviewing')
  await page.getByRole('heading', { level: 1, name: '退款详情' }).waitFor()
  await page.keyboard.press('Shift+?')
  await page.getByRole('dialog', { name: '快捷键' }).getByText('接着打开下一笔').waitFor()
  await page.keyboard.press('Escape')
  await context.close()
})

test('TestConsole_ReviewsAndPayoutsAreListed', async () => {
  const { page, context } = await sit(browser, 'auditor')
  expect(await page.title()).toContain('等我处理')
  await open(page, '/reviews', '审核记录')
  const row = page.getByRole('row').filter({ hasText: '审核员一' }).filter({ hasText: '通过' }).first()
  await row.waitFor()
  await choose(page, page, '决定', '驳回')
  await page.getByRole('button', { name: '查询' }).click()
  await expect.poll(async () => (await page.locator('.el-table__row').allInnerTexts()).every((t) => t.includes('驳回'))).toBe(true)
  await inSight(page, '审核记录')
  await serious(page, 'reviews')
  await open(page, '/transfers', '出款单')
  await page.locator('.el-table__row').first().waitFor()
  await inSight(page, '出款单')
  await serious(page, 'payouts')
  const no = (await page.locator('.el-table__row').first().locator('td').first().innerText()).split(/\s/)[0]!
  await page.getByLabel('商户单号或渠道单号').fill(no)
  await page.getByRole('button', { name: '查询' }).click()
  await expect.poll(() => page.locator('.el-table__row').count()).toBe(1)
  await context.close()
})

test('TestConsole_BackFromAnOrder_TheListIsAsItWasLeft', async () => {
  const { page, context } = await sit(browser, 'reviewer1', 'narrow')
  await page.setViewportSize({ width: 1024, height: 420 })
  await open(page, '/queue', '退款订单')
  await page.getByRole('tab', { name: '全部' }).click()
  const row = page.getByRole('row').nth(4)
  await row.waitFor()
  const no = await row.innerText()
  await row.scrollIntoViewIfNeeded()
  await page.evaluate(() => scrollTo(0, 300))
  const top = await page.evaluate(() => scrollY)
  expect(top).toBeGreaterThan(0)
  await row.getByRole('link', { name: /查看|审核/ }).click()
  await page.getByRole('heading', { level: 1, name: '退款详情' }).waitFor()
  expect(await page.evaluate(() => scrollY)).toBe(0)
  await page.goBack()
  await page.getByRole('heading', { level: 1, name: '退款订单' }).waitFor()
  await expect.poll(() => page.evaluate(() => scrollY)).toBeGreaterThan(top - 5)
  await page.waitForTimeout(300)
  expect(await page.evaluate(() => scrollY)).toBeGreaterThan(top - 5)
  expect(await page.getByRole('row').nth(4).innerText()).toBe(no)
  await context.close()
})
