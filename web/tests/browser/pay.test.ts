// Walks of a patient who pays bills and registers, through the real pages,
// program and simulators.
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { accessible, app, fits, HIS, json, launch, quiet, reload, sim, until, visit } from '../walk'

let browser: Browser
beforeAll(async () => { browser = await launch() })
afterAll(async () => { await browser.close() })

const h1 = (page: Page, name: string) => page.getByRole('heading', { level: 1, name, exact: true }).waitFor()

interface BillRow { bill_no: string; state: string; receipt: string }

/** bill puts an unpaid bill on the first card of a patient. */
async function bill(patient: string, amount: number, insurable = true): Promise<string> {
  const { bill_no } = await json<{ bill_no: string }>(sim(HIS, '/_sim/bills'), { json: { patient, kind: 'outpatient', amount, insurable } })
  return bill_no
}

async function atHIS(no: string): Promise<BillRow> {
  const { bills } = await json<{ bills: BillRow[] }>(sim(HIS, '/_sim/bills'))
  return bills.find((b) => b.bill_no === no)!
}

/** toWays opens the list of bills and the ways of the one with an amount. */
async function toWays(page: Page, amount: string): Promise<void> {
  await page.getByRole('link', { name: /^缴费(?!记录)/ }).click()
  await h1(page, '待缴费用')
  await page.getByText(/截至 \d\d:\d\d/).waitFor()
  await accessible(page, 'bills')
  await fits(page, 'bills')
  await page.locator('section.box', { hasText: amount }).getByRole('button', { name: '去缴费' }).click()
  await h1(page, '选择缴费方式')
}

/** payAtCashier pays at the simulator's cashier and comes back. */
async function payAtCashier(page: Page): Promise<void> {
  await page.getByRole('button', { name: '确认支付' }).click()
  await page.getByText('支付成功').waitFor()
  await page.getByRole('link', { name: '返回' }).click()
  await h1(page, '缴费详情')
}

describe('pay', () => {
  test('TestPay_OwnMoney_ToTheReceipt', async () => {
    const { page, context } = await visit(browser, 'P0017', 'wechat')
    await accessible(page, 'home')
    const no = await bill('P0017', 4711, false)
    await toWays(page, '¥47.11')
    await expect.poll(() => page.getByLabel('医保 + 自费').isDisabled()).toBe(true)
    await page.getByText('该项目不属于医保支付范围').waitFor()
    await accessible(page, 'ways')
    await fits(page, 'ways')
    await page.getByRole('button', { name: '支付 ¥47.11' }).click()
    await h1(page, '缴费详情')
    await page.getByText(/请在 \d+:\d\d 内支付/).waitFor()
    await reload(page) // what was begun is there again
    await page.getByText(/请在 \d+:\d\d 内支付/).waitFor()
    await accessible(page, 'payment')
    await page.getByRole('button', { name: '支付 ¥47.11' }).click()
    await payAtCashier(page)
    await page.getByText('已缴费').first().waitFor()
    await page.getByText('收据号').waitFor()
    await accessible(page, 'paid')
    await fits(page, 'paid')
    expect((await atHIS(no)).receipt).not.toBe('')
    await page.goto(`${app}/#/payments`)
    await h1(page, '缴费记录')
    await page.getByText('¥47.11').first().waitFor()
    await accessible(page, 'payments')
    quiet(page)
    await context.close()
  })

  test('TestPay_Insured_AreaBenefitAuthorisationSplit', async () => {
    const { page, context } = await visit(browser, 'P0001', 'wechat')
    const no = await bill('P0001', 12_300)
    await toWays(page, '¥123.00')
    await page.getByRole('button', { name: '下一步：选择参保地' }).click()
    await h1(page, '医保信息')
    await page.getByRole('heading', { name: '就诊类型' }).waitFor()
    await accessible(page, 'insurance')
    await fits(page, 'insurance')
    await page.locator('fieldset input[name=benefit]').first().check()
    await page.getByRole('button', { name: '下一步：授权' }).click()
    await h1(page, '缴费详情')
    await page.getByText('授权使用医保凭证', { exact: true }).waitFor()
    await accessible(page, 'to authorise')
    // first the patient changes their mind on the credential's page
    await page.getByRole('button', { name: '去授权' }).click()
    await page.getByRole('link', { name: 'P0001' }).click()
    await page.getByRole('button', { name: '拒绝' }).click()
    await page.getByText('没有完成授权').waitFor()
    await page.getByRole('button', { name: '去授权' }).click()
    await page.getByRole('link', { name: 'P0001' }).click()
    await page.getByRole('button', { name: '同意授权' }).click()
    await h1(page, '缴费详情')
    await page.getByText('医保基金支付').waitFor()
    await accessible(page, 'split')
    await fits(page, 'split')
    await page.getByRole('button', { name: /^支付 ¥|确认使用医保支付/ }).click()
    await payAtCashier(page)
    await page.getByText('已缴费').first().waitFor()
    expect((await atHIS(no)).receipt).not.toBe('')
    quiet(page)
    await context.close()
  })

  test('TestPay_Cancelled_TheBillStays', async () => {
    const { page, context } = await visit(browser, 'P0018', 'alipay')
    const no = await bill('P0018', 2_050, false)
    await toWays(page, '¥20.50')
    await page.getByLabel('到院支付').check()
    expect(await page.getByRole('button', { name: /^支付/ }).count()).toBe(0)
    await page.getByLabel('支付宝自费支付').check()
    await page.getByRole('button', { name: '支付 ¥20.50' }).click()
    await page.getByText(/请在 \d+:\d\d 内支付/).waitFor()
    await page.getByRole('button', { name: '取消缴费' }).click()
    await page.getByRole('dialog').getByRole('button', { name: '取消缴费' }).click()
    await page.getByText('已取消，没有扣款').first().waitFor()
    await page.getByRole('link', { name: '重新缴费' }).or(page.getByRole('button', { name: '重新缴费' })).click()
    await page.locator('section.box', { hasText: '¥20.50' }).getByRole('button', { name: '去缴费' }).waitFor()
    expect((await atHIS(no)).state).toBe('open')
    quiet(page)
    await context.close()
  })

  test('TestPay_Registration_SlotIsKeptPaidOrGivenBack', async () => {
    const { page, context } = await visit(browser, 'P0019', 'alipay')
    const take = async () => {
      await page.getByRole('link', { name: /^挂号/ }).click()
      await h1(page, '预约挂号')
      await accessible(page, 'departments')
      await page.locator('.menu a').first().click()
      await h1(page, '选择医生和时间')
      await page.locator('.day').nth(1).click()
      await page.getByRole('button', { name: /^挂号/ }).first().waitFor()
      await accessible(page, 'slots')
      await fits(page, 'slots')
      await page.getByRole('button', { name: /^挂号/ }).first().click()
      await h1(page, '选择缴费方式')
      await page.getByText(/号源为您保留 \d+:\d\d/).waitFor()
    }
    await take()
    await page.getByRole('button', { name: '不挂了，释放号源' }).click()
    await h1(page, '预约挂号')
    await page.goto(`${app}/#/`)
    await take()
    await accessible(page, 'kept')
    await page.getByLabel('支付宝自费支付').check()
    await page.getByRole('button', { name: /^支付 ¥/ }).click()
    await h1(page, '缴费详情')
    await page.getByRole('button', { name: /^支付 ¥/ }).click()
    await payAtCashier(page)
    await page.getByText('已缴费').first().waitFor()
    await until('HIS knows it', async () => {
      const { bills } = await json<{ bills: (BillRow & { kind: string })[] }>(sim(HIS, '/_sim/bills'))
      return bills.some((b) => b.kind === 'registration' && b.receipt !== '')
    })
    quiet(page)
    await context.close()
  })
})
