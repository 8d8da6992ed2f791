// What a clerk sees on an ordinary PC: 1366 pixels, or 1093 where the system is set to 125 %.
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { launch, until } from '../walk'
import { apply, code, inSight, open, serious, sit, state } from './desk'

let browser: Browser
beforeAll(async () => { browser = await launch() })
afterAll(async () => { await browser.close() })

test('TestConsole_AmountAndStateAreInSightOnAnOrdinaryPC', async () => {
  const { id, card } = await apply(code(238), 'alipay', 5501)
  await until('to review', async () => (await state(id)) === 'reviewing')
  const { page, context } = await sit(browser, 'reviewer1')
  for (const tab of ['reviewing', 'awaiting_payee', 'processing', 'exceptions', 'succeeded', 'rejected', '']) {
    await open(page, `/queue?tab=${tab}`, '退款订单')
    if (tab === '') await page.getByRole('tab', { name: '全部' }).click()
    const heads = await page.getByRole('columnheader').allInnerTexts()
    expect(heads, tab).toEqual(expect.arrayContaining(['金额', '状态', '申请人']))
    expect(heads.includes('等待'), tab).toBe(['reviewing', 'awaiting_payee', 'processing', 'exceptions'].includes(tab))
    await inSight(page, `退款订单 ${tab}`)
  }
  const row = page.getByRole('row').filter({ hasText: card })
  await row.getByText('¥55.01').waitFor()
  await row.getByText('待审核').waitFor()
  for (const [path, name] of [['/payments', '缴费订单'], ['/proxies', '代办审核'], ['/unknown', '结果待查']] as const) {
    await open(page, path, name)
    await inSight(page, name)
  }
  await context.close()
})

test('TestConsole_DaysAreChosenInChinese', async () => {
  const { page, context } = await sit(browser, 'finance')
  await open(page, '/queue?tab=succeeded', '退款订单')
  expect(await page.locator('input[type=date]').count()).toBe(0)
  await page.getByRole('button', { name: '更多条件' }).click()
  await page.getByRole('combobox', { name: '日期从' }).click()
  await page.getByRole('button', { name: '上月', exact: true }).first().waitFor()
  await serious(page, 'days')
  await page.getByRole('button', { name: '上月', exact: true }).first().click()
  await page.getByRole('button', { name: '查询' }).click()
  await expect.poll(() => page.url()).toMatch(/from=\d{4}-\d{2}-01&to=\d{4}-\d{2}-(28|29|30|31)/)
  await page.getByLabel('日期到').fill('2026-02-03')
  await page.keyboard.press('Enter')
  await page.getByLabel('日期从').fill('2026-02-01')
  await page.keyboard.press('Enter')
  await page.getByRole('button', { name: '查询' }).click()
  await expect.poll(() => page.url()).toContain('from=2026-02-01&to=2026-02-03')
  await context.close()
})
