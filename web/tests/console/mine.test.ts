// What waits for whom: the first page after the login, badges, and what a second
// person reads before confirming a change of the rules.
import type { Browser } from 'playwright-core'
import type { Configuration } from '@shared/answers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { app, json, launch, PASSWORD, quiet, staff, until } from '../walk'
import { apply, code, it, open, serious, sit, state } from './desk'

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

/** number completes a resident ID number with its check character. */
function number(first17: string): string {
  const weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]
  return first17 + '10X98765432'[weights.reduce((sum, w, i) => sum + w * Number(first17[i]), 0) % 11]!
}

test('TestConsole_OnePersonInTwoInstitutions_SwitchesAndReadsTheirSum', async () => {
  const token = await it()
  const made = (collection: string, values: object) => json<{ id: string }>(`${app}/api/collections/${collection}/records`, { token, json: values })
  const house = await made('institutions', { code: 'EAST', name: '演示医院东院区', active: true, methods: ['transfer'], min_amount: 1, second_factor: 'off' })
  const there = { institution: house.id, name: '财务员', roles: ['reviewer'], active: true, password: PASSWORD, passwordConfirm: PASSWORD }
  await made('staff', { ...there, email: 'finance@east.hospay', id_no_input: number('11010519800101903') }) // the demo's finance clerk
  const { page, context } = await sit(browser, 'finance')
  await open(page, '/account', '我的账号')
  await page.getByRole('button', { name: '连接账号' }).click()
  await page.getByLabel('那个院区的账号').fill('finance@east.hospay')
  await page.getByLabel('那个账号的密码').fill('not-this-one-2026')
  await page.getByRole('button', { name: '连接', exact: true }).click()
  await page.getByText('账号或密码不正确').waitFor()
  await serious(page, 'joining an account', true)
  await page.getByLabel('那个账号的密码').fill(PASSWORD)
  await page.getByRole('button', { name: '连接', exact: true }).click()
  await page.getByRole('listitem').filter({ hasText: '演示医院东院区' }).waitFor()
  await page.getByRole('link', { name: '院区汇总' }).click()
  await page.getByRole('row', { name: /演示医院东院区/ }).waitFor()
  await page.getByRole('row', { name: /演示医院（现在）/ }).waitFor()
  await serious(page, 'totals of two institutions', true)
  await page.getByRole('button', { name: '最近 7 天' }).click()
  await page.getByRole('row', { name: /合计/ }).waitFor()
  await page.getByRole('button', { name: '切换院区' }).click()
  const dialog = page.getByRole('dialog', { name: '切换院区' })
  await dialog.getByLabel(/演示医院东院区/).waitFor()
  await serious(page, 'switch of the institution', true)
  await dialog.getByRole('button', { name: '切换', exact: true }).click()
  await page.locator('.house', { hasText: '演示医院东院区' }).waitFor()
  await page.getByRole('heading', { level: 1, name: '等我处理' }).waitFor()
  expect(await page.getByRole('link', { name: '三方对账' }).count()).toBe(0) // a reviewer there, whatever here
  await page.getByRole('button', { name: '切换院区' }).click()
  await page.getByRole('dialog', { name: '切换院区' }).getByRole('button', { name: '切换', exact: true }).click()
  await page.getByRole('link', { name: '三方对账' }).waitFor()
  quiet(page)
  await context.close()
  const other = await sit(browser, 'reviewer1')
  expect(await other.page.getByRole('button', { name: '切换院区' }).count()).toBe(0)
  expect(await other.page.getByRole('link', { name: '院区汇总' }).count()).toBe(0)
  await other.context.close()
})
