// Work that goes on while others work: nothing that somebody has begun is lost to
// what happens elsewhere.
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { app, json, launch, staff, until } from '../walk'
import { apply, code, live, open, sit, state } from './desk'

let browser: Browser
beforeAll(async () => { browser = await launch() })
afterAll(async () => { await browser.close() })

const reviewing = (id: string) => until(`${id} to review`, async () => (await state(id)) === 'reviewing')

test('TestConsole_TickedRowsSurviveWhatOthersDo', async () => {
  const first = await apply(code(231), 'alipay', 5101)
  await reviewing(first.id)
  const { page, context } = await sit(browser, 'reviewer1')
  await open(page, '/queue', '退款订单')
  await live(page, /\/api\/hospay\/queue\?/)
  const row = (card: string) => page.getByRole('row').filter({ hasText: card })
  await row(first.card).locator('.el-checkbox').click()
  await page.getByRole('button', { name: '批量审核（1）' }).waitFor()
  await row(first.card).click()
  const second = await apply(code(232), 'alipay', 5102) // somebody applies meanwhile
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
  const shown = await apply(code(233), 'alipay', 5201)
  await reviewing(shown.id)
  const { page, context } = await sit(browser, 'reviewer1')
  await open(page, '/queue?tab=rejected', '退款订单')
  await page.getByRole('tab', { name: /待审核（[1-9]/ }).waitFor()
  await live(page, /\/api\/hospay\/queue\?/)
  let readings = 0
  page.on('request', (r) => { if (/\/api\/hospay\/queue\?/.test(r.url())) readings++ })
  const counted = page.waitForResponse((r) => r.url().includes('/queue/counts'))
  const other = await apply(code(234), 'alipay', 5202) // waits for review: not on this tab
  await reviewing(other.id)
  await counted
  await page.waitForTimeout(1500)
  expect(readings).toBe(0)
  await json(`${app}/api/collections/reviews/records`, { token: await staff('reviewer2'), json: { order: other.id, decision: 'reject', note: '请到窗口办理' } })
  await page.getByRole('row').filter({ hasText: other.card }).waitFor()
  expect(readings).toBeGreaterThan(0)
  await context.close()
})

test('TestConsole_WhatWasRefusedStaysTold_OpenDialogsStay', async () => {
  const { id } = await apply(code(235), 'alipay', 5301)
  await reviewing(id)
  const { page, context } = await sit(browser, 'reviewer1')
  await open(page, `/orders/${id}`, '退款详情')
  await page.getByRole('button', { name: '驳回（R）' }).click()
  // The server is gone for a moment: the dialog says so, with what was typed.
  await page.route('**/api/collections/reviews/records', (r) => r.abort())
  await page.getByRole('combobox', { name: '驳回原因' }).click({ force: true })
  await page.getByRole('option', { name: '其他' }).click()
  await page.getByLabel('补充说明').fill('请核对收款人')
  await page.getByRole('button', { name: '确认驳回' }).click()
  const dialog = page.getByRole('dialog', { name: '驳回' })
  await dialog.getByRole('alert').waitFor()
  expect(await page.getByLabel('补充说明').inputValue()).toBe('请核对收款人')
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
