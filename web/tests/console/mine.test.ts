// What waits for whom: the first page after the login, badges, and what a second
// person reads before confirming a change of the rules.
import type { Browser } from 'playwright-core'
import type { Configuration } from '@shared/answers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { app, json, launch, staff, until } from '../walk'
import { apply, code, open, serious, sit, state } from './desk'

let browser: Browser
beforeAll(async () => { browser = await launch() })
afterAll(async () => { await browser.close() })

test('TestConsole_LoginLandsOnWhatWaits', async () => {
  const { id } = await apply(code(239), 'alipay', 5601)
  await until('to review', async () => (await state(id)) === 'reviewing')
  for (const name of ['reviewer1', 'finance', 'cashier', 'auditor', 'config']) {
    const { page, context } = await sit(browser, name)
    await page.getByRole('heading', { level: 1, name: '等我处理' }).waitFor()
    if (name === 'reviewer1') await page.getByRole('main').getByRole('link', { name: /退款待初审/ }).waitFor()
    if (name === 'reviewer1') await page.getByRole('heading', { name: /今天的退款/ }).waitFor()
    await serious(page, `first page of ${name}`)
    if (name === 'reviewer1') {
      await page.getByRole('main').getByRole('link', { name: /退款待初审/ }).click()
      await page.getByRole('heading', { level: 1, name: '退款订单' }).waitFor()
      await page.getByRole('row').nth(1).waitFor()
    }
    await context.close()
  }
})

test('TestConsole_AChangeOfRulesIsReadByItsSecondPerson', async () => {
  const token = await staff('config')
  const { review } = await json<Configuration>(`${app}/api/hospay/config`, { token })
  const rules = review!.rules!.map((r) => (r.rule === 'max_amount' ? { ...r, limit: (r.limit ?? 0) + 100_00 } : r))
  const target = { collection: 'review_settings', id: review!.id }
  const change = await json<{ id: string }>(`${app}/api/hospay/config/changes`, { token, json: { target, values: { rules }, note: '提高金额上限' } })

  const a = await sit(browser, 'finance')
  await a.page.getByRole('link', { name: /系统配置\s*1/ }).waitFor() // the badge
  await a.page.getByRole('main').getByRole('link', { name: /配置变更待确认/ }).click()
  const row = a.page.getByRole('listitem').filter({ hasText: '提高金额上限' })
  await row.getByText('规则：金额上限').waitFor()
  expect(await row.locator('tbody tr').count()).toBe(1) // the others stay as they are
  expect(await row.innerText()).not.toMatch(/¥0\.00|0 天|0 小时/)
  await serious(a.page, 'a change of rules')

  // Who would propose again is told what that ends.
  const b = await sit(browser, 'config')
  await open(b.page, '/config?tab=review', '系统配置')
  await b.page.getByRole('textbox', { name: '金额上限，元' }).fill('9999.00')
  await b.page.getByRole('textbox', { name: '金额上限，元' }).press('Tab')
  await b.page.getByRole('button', { name: '提交规则' }).click()
  const dialog = b.page.getByRole('dialog', { name: /修改/ })
  await dialog.getByText('还在等待确认').waitFor()
  expect(await dialog.innerText()).toContain('提高金额上限')
  await serious(b.page, 'a second proposal')
  await b.context.close()

  await row.getByRole('button', { name: '退回' }).click()
  await a.page.getByLabel('退回原因').fill('先试算')
  await a.page.getByRole('dialog').getByRole('button', { name: '退回' }).click()
  await until('rejected', async () => (
    await json<{ items: { id: string; state: string }[] }>(`${app}/api/hospay/config/changes`, { token })
  ).items.find((c) => c.id === change.id)?.state === 'rejected')
  await expect.poll(() => a.page.getByRole('link', { name: /系统配置\s*1/ }).count()).toBe(0)
  await a.context.close()
})
