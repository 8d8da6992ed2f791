// A form that is not taken shows where, on a phone that shows little of it at once.
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { accessible, app, launch, quiet, visit } from '../walk'

let browser: Browser
beforeAll(async () => { browser = await launch() })
afterAll(async () => { await browser.close() })

/** pointed: what is wrong has the focus and is in sight. */
async function pointed(page: Page, label: string): Promise<void> {
  const focused = page.getByLabel(label).first()
  await expect.poll(() => focused.evaluate((e) => e === document.activeElement), { message: `${label} has the focus` }).toBe(true)
  const box = (await focused.boundingBox())!
  expect(box.y, `${label} is in sight`).toBeGreaterThanOrEqual(0)
  expect(box.y + box.height, `${label} is in sight`).toBeLessThanOrEqual(page.viewportSize()!.height)
}

async function press(page: Page, name: string): Promise<void> {
  const button = page.getByRole('button', { name, exact: true })
  await button.scrollIntoViewIfNeeded()
  await button.click()
}

test('TestForms_TheFirstMistakeIsInSightAndHasTheFocus', async () => {
  const { page, who, context } = await visit(browser, 'P0011', 'wechat', { viewport: { width: 375, height: 420 } })
  await page.goto(`${app}/#/proxy/new`)
  await page.getByLabel('被代办人姓名').waitFor()
  await press(page, '查询并继续')
  await pointed(page, '被代办人姓名')
  await page.getByLabel('被代办人姓名').fill('赵无名')
  await press(page, '查询并继续')
  await pointed(page, '被代办人证件号码')
  await page.getByLabel('被代办人证件号码').fill(who.id_no)
  await page.getByLabel('被代办人就诊卡号').fill('C0')
  await press(page, '查询并继续')
  await pointed(page, '未成年人')
  await page.getByRole('radio', { name: '已故' }).check()
  await press(page, '查询并继续')
  await pointed(page, '您是被代办人的')
  await page.getByLabel('您是被代办人的').selectOption({ label: '子女' })
  await press(page, '查询并继续')
  await pointed(page, '我已阅读并同意')
  await accessible(page, 'new proxy, consent missing')
  await page.getByLabel('我已阅读并同意').check()
  await press(page, '查询并继续') // what the server refuses is in sight, too
  const refusal = page.getByRole('alert').first()
  await refusal.waitFor()
  await expect.poll(async () => ((await refusal.boundingBox())?.y ?? -1) >= 0, { message: 'the refusal is in sight' }).toBe(true)

  await page.goto(`${app}/#/apply/notice`)
  await page.getByLabel('我已阅读并同意退款须知').waitFor()
  await press(page, '下一步')
  await pointed(page, '我已阅读并同意退款须知')
  await page.getByLabel('我已阅读并同意退款须知').check()
  await press(page, '下一步')
  await page.getByLabel('只退一部分').check()
  await press(page, '下一步')
  await pointed(page, '退款金额')
  await page.getByLabel('退款金额').fill('1')
  await press(page, '下一步')
  await page.getByRole('heading', { level: 1, name: '退款渠道' }).waitFor()
  await page.getByRole('button', { name: '下一步' }).waitFor()
  await press(page, '下一步')
  await page.getByRole('heading', { level: 1, name: '收款信息' }).waitFor()
  await press(page, '下一步')
  await pointed(page, '收款人姓名')

  await page.goto(`${app}/#/status`)
  await press(page, '查询')
  await pointed(page, '退款单号')
  quiet(page)
  await context.close()
})
