// Configuration with two persons, reconciliation by a finance clerk, and the
// overview inside PocketBase's dashboard.
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { app, json, launch, listen, PASSWORD, quiet, reload, staff, until } from '../walk'
import { apply, choose, code, open, serious, set, sit, state, swept } from './desk'

let browser: Browser
beforeAll(async () => { browser = await launch() })
afterAll(async () => { await browser.close() })

test('TestConsole_SensitiveChangeNeedsASecondPerson_TakesEffectOnTheNextOrder', async () => {
  const before = await apply(code(28), 'alipay', 11_00)
  await until('reviewed by people', async () => (await state(before.id)) === 'reviewing')
  const a = await sit(browser, 'config')
  await open(a.page, '/config?tab=review', '系统配置')
  await a.page.locator('.setting', { hasText: '自动审核' }).first().waitFor()
  await serious(a.page, 'review settings')
  await a.page.locator('.setting', { hasText: '自动审核' }).first().locator('.el-switch').click()
  await a.page.getByRole('button', { name: /提交修改（1 项）/ }).click()
  await a.page.getByLabel('为什么修改').fill('小额自动通过')
  await serious(a.page, 'change dialog')
  await a.page.getByRole('dialog').getByRole('button', { name: '提交' }).click()
  await a.page.getByText('等待另一位同事确认').waitFor()
  await a.page.getByRole('tab', { name: /变更记录（1 待确认）/ }).click()
  await a.page.getByText('需要另一位同事确认').waitFor()
  await serious(a.page, 'changes')
  const b = await sit(browser, 'finance', 'narrow')
  await open(b.page, '/config?tab=changes', '系统配置')
  await b.page.getByRole('button', { name: '确认生效' }).click()
  await b.page.getByText('已生效').first().waitFor()
  await serious(b.page, 'confirmed change')
  await new Promise((r) => setTimeout(r, 1200))
  const after = await apply(code(29), 'alipay', 12_00)
  await until('paid by the rules', async () => (await state(after.id)) === 'succeeded')
  expect(await state(before.id)).not.toBe('rejected')
  await set('review_settings', { auto: false }) // the other walks are people's
  await a.context.close()
  await b.context.close()
})

test('TestConsole_EveryTabOfTheConfiguration', async () => {
  const { page, context } = await sit(browser, 'config')
  for (const tab of ['house', 'channels', 'his', 'centre', 'notices', 'texts', 'sms', 'staff']) {
    await open(page, `/config?tab=${tab}`, '系统配置')
    await page.locator('section.card').first().waitFor()
    await serious(page, `configuration: ${tab}`)
  }
  const text = await page.content()
  expect(text).not.toContain('PRIVATE KEY')
  await open(page, '/config?tab=channels', '系统配置')
  await page.getByRole('button', { name: '测试连接' }).first().click()
  await page.locator('.checks li').first().waitFor()
  await serious(page, 'connection test')
  await open(page, '/config?tab=centre', '系统配置')
  await page.getByRole('button', { name: '探测' }).click()
  await page.locator('.checks li', { hasText: '医保订单查询（6301）' }).waitFor()
  expect(await page.getByLabel('本院 SM2 私钥').inputValue()).toBe('')
  await page.getByRole('button', { name: '填入样例：' }).first().click()
  expect(JSON.parse(await page.getByLabel('地区方案').inputValue())).toHaveProperty('base')
  await serious(page, 'insurance centre')
  await open(page, '/config?tab=notices', '系统配置')
  await page.getByRole('button', { name: '写新版本' }).first().click()
  await page.getByRole('textbox', { name: '标题' }).fill('预交金退款须知（修订）')
  await page.getByRole('button', { name: '启用新版本' }).click()
  await page.getByLabel('为什么修改').fill('文字更清楚')
  await page.getByRole('dialog', { name: /修改：/ }).getByRole('button', { name: '提交' }).click()
  await page.getByText('预交金退款须知（修订）').first().waitFor()
  await context.close()
})

test('TestConsole_ClerkUploadsThreeFiles_WorksOffThree_ExportsTheReport_ClosesTheMonth', async () => {
  const yesterday = new Date(Date.now() - 86_400_000 + 8 * 3_600_000).toISOString().slice(0, 10)
  const a = await sit(browser, 'finance')
  await open(a.page, '/recon', '三方对账')
  await a.page.locator('.calendar a.day').first().waitFor()
  await serious(a.page, 'calendar')
  await open(a.page, `/recon/${yesterday}`, `${yesterday} 对账`)
  await serious(a.page, 'day without bills')

  // HIS says that money went back of which neither the platform nor a channel knows.
  const folder = mkdtempSync(join(tmpdir(), 'hospay-books-'))
  const his = join(folder, 'his.csv')
  const lines = Array.from({ length: 3 }, (_, i) => `R2026010100000000${i},,H90${i},C000${i + 1},${(i + 1) * 10}.00,转账退,微信,成功,${yesterday} 10:0${i}:00`)
  writeFileSync(
    his,
    '\ufeff' + ['退款单号,商户单号,HIS退款流水号,就诊卡号,退款金额,退款方式,退款渠道,状态,退款时间', ...lines, 'R1,,H1,C1,不是金额,转账退,微信,成功,' + yesterday + ' 11:00:00'].join('\r\n')
  )
  const bad = join(folder, 'bad.csv')
  writeFileSync(bad, '这不是账单\r\n1,2,3')
  // Both channels say that nothing moved on their side.
  const flow = join(folder, 'flow.csv')
  writeFileSync(flow, '记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额(元),账户结余(元),资金变更提交申请人,备注,业务凭证号\r\n资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额\r\n`0.0,`0.0,`0.00,`0.0,`0.00\r\n')
  const stamp = (d: string) => `${d.slice(0, 4)}年${d.slice(5, 7)}月${d.slice(8)}日 00:00:00`
  const next = new Date(Date.parse(yesterday) + 86_400_000).toISOString().slice(0, 10)
  const ledger = join(folder, 'ledger.csv')
  writeFileSync(ledger, [
    '#支付宝账务明细查询', '#账号：[20880000000000000156]', `#起始日期：[${stamp(yesterday)}]   终止日期：[${stamp(next)}]`, '#-----账务明细列表-----',
    '账务流水号,业务流水号,商户订单号,商品名称,发生时间,对方账号,收入金额（+元）,支出金额（-元）,账户余额（元）,交易渠道,业务类型,备注',
    '#-----账务明细列表结束-----', '#支出合计：0笔，共0.00元', '#收入合计：0笔，共0.00元', '',
  ].join('\r\n'))
  const upload = async (source: string, file: string) => {
    await a.page.getByRole('button', { name: '上传账单' }).click()
    const dialog = a.page.getByRole('dialog', { name: '上传账单' })
    if (source !== 'HIS') await choose(a.page, dialog, '来源', source)
    await dialog.getByLabel('账单文件').setInputFiles(file)
    await dialog.getByRole('button', { name: '上传', exact: true }).click()
    return dialog
  }
  const refused = await upload('HIS', bad)
  await refused.getByRole('alert').waitFor()
  await serious(a.page, 'refused bill')
  await refused.getByRole('button', { name: '取消' }).click()
  const half = join(folder, 'half.csv')
  writeFileSync(half, readFileSync(his, 'utf8').split('\r\n').slice(0, 2).join('\r\n'))
  await (await upload('HIS', half)).waitFor({ state: 'hidden' })
  await upload('HIS', his)
  await a.page.getByText('第 1 版，已被新版取代').waitFor()
  await a.page.getByRole('row').filter({ hasText: '第 2 版' }).getByText('已读入').waitFor()
  await a.page.getByRole('button', { name: '看无法识别的 1 行' }).click()
  await a.page.getByRole('dialog').getByText('原因').waitFor()
  await a.page.keyboard.press('Escape')
  for (const [source, file] of [['微信', flow], ['支付宝', ledger]] as const) {
    const dialog = await upload(source, file)
    await dialog.waitFor({ state: 'hidden' })
  }
  await a.page.getByRole('button', { name: /^(开始|重新)对账$/ }).click()
  await a.page.getByText('HIS 单边').first().waitFor()
  await serious(a.page, 'differences')

  await a.page.getByRole('button', { name: /^认领/ }).first().click()
  // Only what fits is offered; what does not fit says why.
  await a.page.getByRole('button', { name: /^处理/ }).first().click()
  const offer = a.page.getByRole('dialog', { name: /处理差异/ })
  await offer.getByRole('radio', { name: /^补记/ }).waitFor()
  expect(await offer.getByRole('radio').count()).toBe(4)
  await offer.getByText('暂不可用').click()
  await offer.getByText('换配：换配的两笔须方向相反').waitFor()
  await offer.getByText('确认到账：这笔差异不能这样处理').waitFor()
  await swept(a.page)
  await serious(a.page, 'what fits a difference')
  await a.page.keyboard.press('Escape')
  await offer.waitFor({ state: 'hidden' })
  // Meanwhile somebody proposes: nothing fits any more.
  const token = await staff('finance')
  const { items } = await json<{ items: { id: string; order_no: string; state: string }[] }>(`${app}/api/hospay/differences?day=${yesterday}`, { token })
  const taken = items.find((d) => d.state === 'open')!
  await json(`${app}/api/hospay/differences/${taken.id}/resolve`, { token, json: { verb: 'force', reason: '先提一步' } })
  await a.page.getByRole('button', { name: `处理 ${taken.order_no}` }).click()
  await offer.getByText('这笔差异的状态已经变化').waitFor()
  expect(await offer.getByRole('radio').count()).toBe(0)
  await offer.getByText('处理记录（').click()
  await offer.getByText('先提一步').waitFor()
  await a.page.keyboard.press('Escape')
  await json(`${app}/api/hospay/differences/${taken.id}/withdraw`, { token, json: { note: '撤回' } })
  await reload(a.page)
  await a.page.getByText('HIS 单边').first().waitFor()
  const work = async (verb: string) => {
    await a.page.getByRole('button', { name: /^处理/ }).first().click()
    const dialog = a.page.getByRole('dialog', { name: /处理差异/ })
    await dialog.getByRole('radio', { name: new RegExp(`^${verb}`) }).check()
    await dialog.getByRole('textbox', { name: '原因' }).fill('核对后确认是测试数据')
    await dialog.getByRole('button', { name: '提交' }).click()
    await dialog.waitFor({ state: 'hidden' })
  }
  await work('强制平账')
  await a.page.getByText('待确认').first().waitFor()
  await work('补记')
  await work('忽略')
  await expect.poll(() => a.page.getByRole('button', { name: /^撤回 / }).count()).toBe(3)
  const b = await sit(browser, 'auditor', 'narrow')
  await open(b.page, `/recon/${yesterday}`, `${yesterday} 对账`)
  for (let left = 3; left > 0; left--) {
    await b.page.getByRole('button', { name: /^确认 / }).first().click()
    await expect.poll(() => b.page.getByRole('button', { name: /^确认 / }).count()).toBe(left - 1)
  }
  await b.page.getByRole('heading', { name: '差异（0 条待处理）' }).waitFor()
  await serious(b.page, 'confirmed by a second person')
  await reload(a.page)
  await a.page.getByText('已处理').first().waitFor()
  await serious(a.page, 'worked off')
  const download = a.page.waitForEvent('download')
  await a.page.getByRole('button', { name: '差异表' }).click()
  expect((await download).suggestedFilename()).toMatch(/\.xlsx$/)
  await a.page.getByRole('button', { name: '打开' }).click()
  await a.page.getByText('第 1 页').first().waitFor()

  // The month before is closed by two people.
  const month = new Date(Date.UTC(Number(yesterday.slice(0, 4)), Number(yesterday.slice(5, 7)) - 2, 1)).toISOString().slice(0, 7)
  await open(b.page, `/recon?month=${month}`, '三方对账')
  await b.page.getByRole('heading', { name: /月结 未结/ }).waitFor()
  expect(await b.page.getByRole('button', { name: '申请月结' }).count()).toBe(0) // finance asks first
  const step = async (page: Page, verb: string, after: string) => {
    await open(page, `/recon?month=${month}`, '三方对账')
    await reload(page)
    await page.getByRole('button', { name: verb }).click()
    await page.getByRole('textbox', { name: '说明' }).fill('账已核对')
    await page.getByRole('button', { name: '确定' }).click()
    await page.getByRole('heading', { name: new RegExp(`月结 ${after}`) }).waitFor()
  }
  await step(a.page, '申请月结', '月结待确认')
  expect(await a.page.getByRole('button', { name: '确认月结' }).count()).toBe(0) // not by the same person
  await step(b.page, '确认月结', '已结')
  await serious(b.page, 'closed month')
  await step(a.page, '申请重开', '重开待确认')
  await step(b.page, '确认重开', '未结')
  await a.context.close()
  await b.context.close()
})

test('TestDashboard_OverviewShowsAndRunsJobs_TheRestGoesOn', async () => {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: 'zh-CN' })
  const page = await context.newPage()
  listen(page)
  await page.goto(`${app}/_/#/login`)
  await page.locator('input[type=email], input[name=identity], input').first().fill('it@demo.hospay')
  await page.locator('input[type=password]').fill(PASSWORD)
  await page.keyboard.press('Enter')
  await page.getByRole('link', { name: 'hospay' }).click()
  await page.getByRole('heading', { level: 1, name: 'hospay 概况' }).waitFor()
  await page.getByText('任务运行').waitFor()
  await page.getByText('今日出款').first().waitFor()
  await page.getByRole('button', { name: '立即运行 housekeeping' }).click()
  await until('the run is on record', async () => (await page.getByText('成功').count()) > 0)
  quiet(page)
  await page.getByRole('link', { name: 'Collections' }).click() // the dashboard itself still works
  await page.getByText('refund_orders').first().waitFor()
  await page.goto(`${app}/_/#/collections?collection=institutions`) // and its fields say in Chinese what they are
  await page.getByText('演示医院').first().click()
  await page.getByText('机构编号：门户凭证、二维码和接口里用它指这个机构').waitFor()
  await context.close()
})
