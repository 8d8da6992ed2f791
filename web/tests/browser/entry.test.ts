// Without a portal: a patient whom nobody sends says who they are.
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { accessible, app, dismissCare, fits, launch, listen, person, phone, quiet, reload } from '../walk'

let browser: Browser
beforeAll(async () => { browser = await launch() })
afterAll(async () => { await browser.close() })

test('TestEntry_APatientWhomNobodySendsRegisters', async () => {
  const who = await person('P0021', 'wechat')
  const context = await browser.newContext({ ...phone, viewport: { width: 320, height: 640 } })
  const page = await context.newPage()
  listen(page)
  await page.goto(`${app}/#/records`)
  await page.getByRole('button', { name: '微信授权进入' }).click()
  await page.getByRole('link', { name: /P0021/ }).click()
  await page.getByRole('heading', { level: 1, name: '第一次使用，请先登记' }).waitFor()
  await accessible(page, 'registration')
  await fits(page, 'registration')

  // Nothing is sent that cannot be right; the first field that is wrong gets the hand.
  await page.getByRole('button', { name: '核对并进入' }).click()
  await page.getByText('请填写姓名，与就诊卡上的一致。').waitFor()
  await page.getByText('请填写就诊卡号。').waitFor()
  await accessible(page, 'registration, empty')

  await page.getByLabel('姓名').fill(who.name)
  await page.getByLabel('证件号码').fill(who.id_no.toLowerCase())
  await page.getByLabel('就诊卡号').fill('C9999')
  await page.getByRole('button', { name: '核对并进入' }).click()
  await page.getByText('没有查到一致的登记').waitFor()
  expect(await page.getByLabel('姓名').inputValue()).toBe(who.name) // what was typed is still there
  await accessible(page, 'registration refused')
  await fits(page, 'registration refused')

  await reload(page) // the account is still known; what was typed was never kept
  await page.getByRole('heading', { level: 1, name: '第一次使用，请先登记' }).waitFor()
  expect(await page.getByLabel('姓名').inputValue()).toBe('')
  await page.getByLabel('姓名').fill(who.name)
  await page.getByLabel('证件号码').fill(who.id_no)
  await page.getByLabel('就诊卡号').fill(who.cards[0]!)
  await page.getByRole('button', { name: '核对并进入' }).click()
  await page.getByRole('heading', { level: 1, name: '退款记录' }).waitFor() // where they wanted to go
  expect(await page.evaluate(() => JSON.stringify(sessionStorage))).not.toContain('registration')

  // From now on they come in directly.
  await page.evaluate(() => localStorage.clear())
  await page.goto(`${app}/?x=1#/`)
  await page.getByRole('button', { name: '微信授权进入' }).click()
  await page.getByRole('link', { name: /P0021/ }).click()
  await page.getByRole('heading', { level: 1, name: '看病缴费和退款' }).waitFor()
  await dismissCare(page)
  quiet(page)
  await context.close()
})

test('TestEntry_WhoHasNothingToRegisterWithIsSentToTheWaysIn', async () => {
  const context = await browser.newContext(phone)
  const page = await context.newPage()
  await page.goto(`${app}/#/enter/who`)
  await page.getByRole('heading', { level: 1, name: '进入预交金退款' }).waitFor()
  await context.close()
})
