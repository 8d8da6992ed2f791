// Walks of patients for whom a payment does not go straight on: not insured here,
// insured twice, somebody else's credential, a family's account, a hospital that
// does not take it, money that goes back by parts, a slot whose time is over.
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { accessible, app, CENTRE, fits, HIS, json, launch, person, quiet, reload, sim, staff, until, visit, WECHAT } from '../walk'

let browser: Browser
beforeAll(async () => { browser = await launch() })
afterAll(async () => { await browser.close() })

const h1 = (page: Page, name: string) => page.getByRole('heading', { level: 1, name, exact: true }).waitFor()

interface BillRow { bill_no: string; state: string; receipt: string }
interface Row { id: string; status: string; bill_no: string; fund: number; account: number; account_family: number; cash: number; out_trade_no: string }

async function bill(patient: string, amount: number): Promise<string> {
  return (await json<{ bill_no: string }>(sim(HIS, '/_sim/bills'), { json: { patient, kind: 'outpatient', amount, insurable: true } })).bill_no
}

async function atHIS(no: string): Promise<BillRow> {
  return (await json<{ bills: BillRow[] }>(sim(HIS, '/_sim/bills'))).bills.find((b) => b.bill_no === no)!
}

/** payment is what the hospital's staff see of the newest payment of a bill. */
async function payment(bill: string): Promise<Row> {
  const q = new URLSearchParams({ filter: `bill_no = "${bill}"`, sort: '-created' })
  return (await json<{ items: Row[] }>(`${app}/api/collections/payment_orders/records?${q}`, { token: await staff('finance') })).items[0]!
}

const ends = (bill: string, status: string) => until(`${bill} ends as ${status}`, async () => (await payment(bill))?.status === status)

/** begins leads a patient from the first screen to the ways of a new bill. */
async function begins(patient: string, via: 'wechat' | 'alipay', fen: number): Promise<{ page: Page; context: BrowserContext; no: string }> {
  const no = await bill(patient, fen)
  const { page, context } = await visit(browser, patient, via)
  await page.getByRole('link', { name: /^缴费(?!记录)/ }).click()
  await h1(page, '待缴费用')
  await page.locator('section.box', { hasText: `¥${(fen / 100).toFixed(2)}` }).getByRole('button', { name: '去缴费' }).click()
  await h1(page, '选择缴费方式')
  return { page, context, no }
}

async function toInsurance(page: Page): Promise<void> {
  await page.getByRole('button', { name: '下一步：选择参保地' }).click()
  await h1(page, '医保信息')
}

/** orders makes the order with the first benefit that can be had. */
async function orders(page: Page): Promise<void> {
  await page.getByRole('heading', { name: '就诊类型' }).waitFor()
  await page.locator('fieldset input[name=benefit]:enabled').first().check()
  await page.getByRole('button', { name: '下一步：授权' }).click()
  await h1(page, '缴费详情')
}

/** authorises goes through WeChat's credential page; whose phone it is, and for whom. */
async function authorises(page: Page, phone: string, button = '去授权', relative = ''): Promise<void> {
  await page.getByRole('button', { name: button }).click()
  await page.getByRole('link', { name: phone }).click()
  if (relative) await page.getByLabel(relative).check()
  await page.getByRole('button', { name: '同意授权' }).click()
  await h1(page, '缴费详情')
}

/** pays at the simulator's cashier and comes back. */
async function pays(page: Page): Promise<void> {
  await page.getByRole('button', { name: /^支付 ¥|确认使用医保支付/ }).click()
  await page.getByRole('button', { name: '确认支付' }).click()
  await page.getByText('支付成功').waitFor()
  await page.getByRole('link', { name: '返回' }).click()
  await h1(page, '缴费详情')
}

describe('payments that do not go straight on', () => {
  test('TestPay_NotInsuredHere_PaysAlone', async () => {
    const { page, context, no } = await begins('P0004', 'wechat', 6_130)
    await toInsurance(page)
    await page.getByRole('alert').getByText(/参保/).waitFor()
    expect(await page.getByRole('button', { name: '下一步：授权' }).count()).toBe(0)
    await accessible(page, 'not enrolled')
    await fits(page, 'not enrolled')
    await page.getByRole('link', { name: '换一种缴费方式' }).or(page.getByRole('button', { name: '换一种缴费方式' })).click()
    await h1(page, '选择缴费方式')
    await page.getByLabel('微信自费支付').check()
    await reload(page) // the choice is still made
    await h1(page, '选择缴费方式')
    expect(await page.getByLabel('微信自费支付').isChecked()).toBe(true)
    await page.getByRole('button', { name: '支付 ¥61.30' }).click()
    await h1(page, '缴费详情')
    await pays(page)
    await page.getByText('已缴费').first().waitFor()
    expect((await atHIS(no)).receipt).not.toBe('')
    quiet(page)
    await context.close()

    // Insured, but nothing is paid for now: the insurance's own words, and the way alone stays open.
    const barred = await begins('P0016', 'wechat', 5_520)
    await toInsurance(barred.page)
    await barred.page.getByText('缴费中断后的等待期内，暂不享受待遇').first().waitFor()
    expect(await barred.page.getByRole('button', { name: '下一步：授权' }).count()).toBe(0)
    expect(await barred.page.getByRole('alert').innerText()).not.toContain('没有查到')
    await accessible(barred.page, 'no benefit')
    quiet(barred.page)
    await barred.context.close()
  })

  test('TestPay_TwoAreas_BenefitChanged_EveryStepReloaded', async () => {
    const { page, context, no } = await begins('P0011', 'wechat', 20_000)
    await reload(page)
    await toInsurance(page)
    const benefits = page.locator('fieldset').filter({ has: page.locator('input[name=benefit]') })
    await benefits.getByText('职工基本医疗保险 · 普通门诊').waitFor() // the hospital's own area is asked first
    await page.getByLabel('佛山市').check()
    await benefits.getByText('城乡居民基本医疗保险 · 普通门诊').waitFor()
    expect(await benefits.getByText('职工基本医疗保险').count()).toBe(0)
    await page.getByLabel('城乡居民基本医疗保险 · 普通门诊').check()
    await reload(page)
    await benefits.getByText('城乡居民基本医疗保险 · 普通门诊').waitFor()
    expect(await page.getByLabel('佛山市').isChecked()).toBe(true)
    expect(await page.getByLabel('城乡居民基本医疗保险 · 普通门诊').isChecked()).toBe(true)
    // Somewhere else and back: the choice of another area is not taken along.
    await page.getByLabel('广州市').check()
    await benefits.getByText('职工基本医疗保险 · 普通门诊').waitFor()
    expect(await page.locator('input[name=benefit]:checked').count()).toBe(0)
    await page.getByLabel(/职工基本医疗保险 · 普通门诊/).check()
    await accessible(page, 'two areas')
    await fits(page, 'two areas')
    await page.getByRole('button', { name: '下一步：授权' }).click()
    await h1(page, '缴费详情')
    await reload(page)
    await page.getByRole('button', { name: '去授权' }).waitFor()
    // Until the bill is uploaded the patient may choose otherwise.
    await page.getByRole('button', { name: '改用其他方式' }).click()
    await h1(page, '待缴费用')
    await page.locator('section.box', { hasText: '¥200.00' }).getByRole('button', { name: '去缴费' }).click()
    await toInsurance(page)
    expect(await page.getByLabel('广州市').isChecked()).toBe(true)
    await page.getByLabel('佛山市').check()
    await page.getByLabel('城乡居民基本医疗保险 · 普通门诊').check()
    await page.getByRole('button', { name: '下一步：授权' }).click()
    await h1(page, '缴费详情')
    await authorises(page, 'P0011')
    await page.getByText('医保基金支付').waitFor()
    await reload(page)
    await page.getByText('医保基金支付').waitFor()
    await pays(page)
    await reload(page)
    await page.getByText('已缴费').first().waitFor()
    // A resident's insurance pays half beyond ¥50 and has no account.
    const made = await payment(no)
    expect([made.fund, made.account, made.cash]).toEqual([7_500, 0, 12_500])
    quiet(page)
    await context.close()
  })

  test('TestPay_CredentialOfAnother_AndOneThatIsOver', async () => {
    const { page, context, no } = await begins('P0003', 'wechat', 8_800)
    await toInsurance(page)
    await orders(page)
    const other = await person('P0013', 'wechat')
    await authorises(page, 'P0003', '去授权', `为亲属 ${other.name} 支付`)
    // WeChat says that it is a relative's and not whose: the centre knows that it is another's.
    await page.getByText(/医保没有受理这张账单，没有扣款.*人员信息不一致/).waitFor()
    await accessible(page, 'credential of another')
    expect((await payment(no)).status).toBe('cancelled')
    await page.getByRole('link', { name: '重新缴费' }).or(page.getByRole('button', { name: '重新缴费' })).click()
    await page.locator('section.box', { hasText: '¥88.00' }).getByRole('button', { name: '去缴费' }).click()
    await toInsurance(page)
    await orders(page)
    // A code is good for minutes: with an old one the patient authorises again.
    await page.getByRole('button', { name: '去授权' }).click()
    await page.getByRole('link', { name: 'P0003' }).click()
    await json(sim(WECHAT, '/_sim/settings'), { json: { code_minutes: -1 } })
    await page.getByRole('button', { name: '同意授权' }).click()
    await h1(page, '缴费详情')
    await page.getByRole('alert').first().waitFor()
    await json(sim(WECHAT, '/_sim/settings'), { json: { code_minutes: 5 } })
    await accessible(page, 'credential is over')
    expect((await payment(no)).status).not.toBe('paying')
    await authorises(page, 'P0003')
    await page.getByText('医保基金支付').waitFor()
    await pays(page)
    await page.getByText('已缴费').first().waitFor()
    quiet(page)
    await context.close()
  })

  test('TestPay_FamilyAccount_PaysForTheChild', async () => {
    const who = await person('P0007', 'wechat')
    await json(sim(CENTRE, '/_sim/split'), { json: { id_no: who.id_no, fund: 6_000, account: 2_500, family: 2_500 } })
    const { page, context, no } = await begins('P0007', 'wechat', 10_900)
    await toInsurance(page)
    await orders(page)
    await authorises(page, 'P0007')
    const split = page.locator('dl.facts').filter({ hasText: '家庭共济账户支付' })
    await split.getByText('¥25.00').waitFor()
    await accessible(page, 'family account')
    await fits(page, 'family account')
    await pays(page)
    await page.getByText('已缴费').first().waitFor()
    const made = await payment(no)
    expect([made.fund, made.account, made.account_family, made.cash]).toEqual([6_000, 2_500, 2_500, 2_400])
    quiet(page)
    await context.close()
  })

  test('TestPay_HospitalRefusesAfterPayment_MoneyGoesBackAndIsTold', async () => {
    const { page, context, no } = await begins('P0015', 'wechat', 9_900)
    await page.getByLabel('微信自费支付').check()
    await page.getByRole('button', { name: '支付 ¥99.00' }).click()
    await h1(page, '缴费详情')
    await json(sim(HIS, '/_sim/faults'), { json: { plan: [{ match: 'charge', nth: 1, fault: 'window_paid', times: 9 }] } })
    await pays(page)
    await page.getByText('已全部退费').first().waitFor()
    await json(sim(HIS, '/_sim/faults'), { method: 'DELETE' })
    await page.getByText('款项已全部退回').waitFor()
    await accessible(page, 'money went back')
    const paid = await payment(no)
    const { entries } = await json<{ entries: { kind: string; no: string; amount: number; state: string }[] }>(sim(WECHAT, '/_sim/ledger'))
    expect(entries.filter((e) => e.kind === 'refund' && e.amount === 9_900).length).toBe(1)
    expect(paid.status).toBe('refunded')
    await page.goto(`${app}/#/messages`)
    await page.getByText(/¥99\.00/).first().waitFor()
    quiet(page)
    await context.close()
  })

  test('TestPay_RefundByParts_TheInsurancesPartIsAuthorised', async () => {
    const { page, context, no } = await begins('P0014', 'wechat', 15_000)
    await toInsurance(page)
    await orders(page)
    await authorises(page, 'P0014')
    await page.getByText('医保基金支付').waitFor()
    await pays(page)
    await page.getByText('已缴费').first().waitFor()
    const made = await payment(no)
    const finance = await staff('finance')
    const back = async (body: Record<string, unknown>) => {
      await json(`${app}/api/hospay/payments/${made.id}/refund`, { token: finance, json: body })
    }
    await back({ kind: 'cash', cash: 500, reason: '多收的材料费' })
    await page.getByText('部分退费').first().waitFor() // the page follows by itself
    await page.getByText('¥5.00').first().waitFor()
    await accessible(page, 'part refunded')
    await json(sim(WECHAT, '/_sim/settings'), { json: { refund_gap_sec: 0 } }) // WeChat takes one refund of a trade a minute
    await back({ kind: 'all', reason: '医生取消了检查' })
    await page.getByText('医保部分要您授权后才能退回').waitFor()
    await accessible(page, 'refund waits for the credential')
    await authorises(page, 'P0014', '授权退费')
    await page.getByText('已全部退费').first().waitFor()
    await ends(no, 'refunded')
    await json(sim(WECHAT, '/_sim/settings'), { json: { refund_gap_sec: 60 } })
    const { entries } = await json<{ entries: { kind: string; amount: number }[] }>(sim(WECHAT, '/_sim/ledger'))
    const cash = entries.filter((e) => e.kind === 'refund').map((e) => e.amount)
    expect(cash.filter((a) => a === 500).length).toBe(1)
    expect(cash.filter((a) => a === made.cash - 500).length).toBe(1)
    quiet(page)
    await context.close()
  })

  test('TestPay_SlotLapses_NothingCanBePaid', async () => {
    const { page, context } = await visit(browser, 'P0020', 'wechat')
    await page.clock.install()
    await page.getByRole('link', { name: /^挂号/ }).click()
    await h1(page, '预约挂号')
    await page.locator('.menu a').nth(1).click()
    await h1(page, '选择医生和时间')
    await page.locator('.day').nth(2).click()
    await page.getByRole('button', { name: /^挂号/ }).first().click()
    await h1(page, '选择缴费方式')
    await page.getByText(/号源为您保留 \d+:\d\d/).waitFor()
    await page.clock.fastForward('31:00')
    await page.getByRole('alert').waitFor()
    expect(await page.getByRole('button', { name: /^支付/ }).count()).toBe(0)
    await accessible(page, 'slot is over')
    await page.getByRole('link', { name: '返回列表' }).or(page.getByRole('button', { name: '返回列表' })).click()
    await h1(page, '预约挂号')
    await context.close()
  })
})
