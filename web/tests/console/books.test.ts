// The books of payments and of the insurance: a day whose other sides say
// something else, worked off by two people.
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { launch } from '../walk'
import { choose, inSight, open, serious, sit } from './desk'
import { pays } from './pay'

let browser: Browser
beforeAll(async () => { browser = await launch() })
afterAll(async () => { await browser.close() })

/** brings uploads a file of the other side. */
async function brings(page: Page, source: string, file: string): Promise<void> {
  await page.getByRole('button', { name: '上传账单' }).click()
  const dialog = page.getByRole('dialog', { name: '上传账单' })
  if (source) await choose(page, dialog, '来源', source)
  await dialog.getByLabel('账单文件').setInputFiles(file)
  await dialog.getByRole('button', { name: '上传', exact: true }).click()
  await dialog.waitFor({ state: 'hidden' })
}

/** worksOff lets finance propose and the auditor confirm; who proposed is offered no confirmation. */
async function worksOff(finance: Page, auditor: Page, route: string, heading: string, verb: string): Promise<void> {
  await finance.getByRole('button', { name: /^处理/ }).first().waitFor()
  await inSight(finance, `差异 in ${route}`)
  await finance.getByRole('button', { name: /^处理/ }).first().click()
  const dialog = finance.getByRole('dialog', { name: /处理差异/ })
  await dialog.getByRole('radio', { name: new RegExp(`^${verb}`) }).check()
  await dialog.getByRole('textbox', { name: '原因' }).fill('已与对方核实')
  await serious(finance, `how to work off in ${route}`)
  await dialog.getByRole('button', { name: '提交' }).click()
  await dialog.waitFor({ state: 'hidden' })
  await finance.getByText('待确认').first().waitFor()
  expect(await finance.getByRole('button', { name: /^确认 / }).count()).toBe(0)
  await open(auditor, route, heading)
  await auditor.getByRole('button', { name: /^确认 / }).first().click()
  await auditor.getByRole('heading', { name: '差异（0 条待处理）' }).waitFor()
  await serious(auditor, `confirmed in ${route}`)
}

const shot = async (page: Page, name: string) => {
  const dir = process.env.HOSPAY_SHOTS
  if (!dir) return
  for (const width of [1440, 1093]) {
    await page.setViewportSize({ width, height: 900 })
    await page.waitForTimeout(300)
    await page.screenshot({ path: join(dir, `${name}-${width}.png`), fullPage: true })
  }
  await page.setViewportSize({ width: 1440, height: 900 })
}

test('TestConsole_PaymentsAndInsurance_DifferencesAreWorkedOffByTwo', async () => {
  const own = await pays('P0002', 50_00, false)
  const insured = await pays('P0001', 120_00, true)
  const today = new Date(Date.now() + 8 * 3_600_000).toISOString().slice(0, 10)
  const yuan = (fen: number) => (fen / 100).toFixed(2)
  const folder = mkdtempSync(join(tmpdir(), 'hospay-charges-'))
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  const rows = [own, insured]
  const trade = file('trade.csv', [
    '交易时间,公众账号ID,商户号,微信订单号,商户订单号,交易状态,应结订单金额,微信退款单号,商户退款单号,退款金额,退款类型,退款状态',
    ...rows.map((o) => `\`${today} 00:40:00,\`wx,\`19,\`${o.channel_no},\`${o.out_trade_no},\`SUCCESS,\`${yuan(o.cash)},\`0,\`0,\`0.00,\`,\``),
    '总交易单数,应结订单总金额,退款总金额', `\`${rows.length},\`${yuan(own.cash + insured.cash)},\`0.00`, '',
  ].join('\r\n'))
  const charges = file('charges.csv', '\ufeff' + [
    '缴费单号,HIS收据号,就诊卡号,自费金额,支付渠道,状态,收费时间', `${own.no},H1,${own.card_no},${yuan(own.cash + 100)},微信,成功,${today} 00:41:00`,
    `${insured.no},H2,${insured.card_no},${yuan(insured.cash)},微信,成功,${today} 00:41:00`,
  ].join('\r\n'))
  const detail = file('detail.txt', ['PSN', 'MD', insured.setl_id, '', '2', '0', '中心无此结算', '120.00', yuan(insured.fund), '0.00'].join('\t'))

  const a = await sit(browser, 'finance')
  const b = await sit(browser, 'auditor', 'narrow')
  await open(a.page, `/recon/${today}`, `${today} 对账`)
  await a.page.getByRole('navigation', { name: '账本' }).getByRole('link', { name: '缴费' }).click()
  await a.page.getByRole('heading', { name: /缴费的账/ }).waitFor()
  await serious(a.page, 'day of payments before its bills')
  await brings(a.page, '', charges)
  await brings(a.page, '微信：交易账单', trade)
  await a.page.getByRole('button', { name: /^(开始|重新)对账$/ }).click()
  await a.page.getByText('金额不符').first().waitFor()
  await serious(a.page, 'difference of a payment')
  await shot(a.page, 'payments')
  await worksOff(a.page, b.page, `/recon/${today}?ledger=payments`, `${today} 对账`, '更正')

  await a.page.getByRole('navigation', { name: '账本' }).getByRole('link', { name: '医保' }).click()
  await a.page.getByRole('heading', { name: /医保的账/ }).waitFor()
  await brings(a.page, '', detail)
  await a.page.getByRole('button', { name: /^(开始|重新)对账$/ }).click()
  await a.page.getByText('平台单边').first().waitFor()
  await a.page.getByText(/医保中心没有（结果 2/).first().waitFor()
  await serious(a.page, 'difference of the insurance')
  await shot(a.page, 'insurance')
  await worksOff(a.page, b.page, `/recon/${today}?ledger=insurance`, `${today} 对账`, '补记')

  const download = a.page.waitForEvent('download')
  await a.page.getByRole('button', { name: '汇总表' }).click()
  expect((await download).suggestedFilename()).toContain('医保')
  await open(a.page, '/recon', '三方对账')
  await a.page.locator('a.day .ledger').first().waitFor()
  await serious(a.page, 'calendar of three ledgers')
  await shot(a.page, 'calendar')
  await a.context.close()
  await b.context.close()
})
