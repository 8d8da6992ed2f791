// Walks of the hospital's staff at their desks.
import { readFileSync } from 'node:fs'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { app, json, launch, person, reload, staff, until } from '../walk'
import { sheets } from '../xlsx'
import { apply, choose, code, open, serious, set, sit, state } from './desk'

let browser: Browser
beforeAll(async () => { browser = await launch() })
afterAll(async () => { await browser.close() })

const reviewing = (id: string) => until(`${id} to review`, async () => (await state(id)) === 'reviewing')

test('TestConsole_WrongPasswordIsSaid_RolesSeeTheirOwnPlaces', async () => {
  const context = await browser.newContext({ locale: 'zh-CN' })
  const page = await context.newPage()
  await page.goto(`${app}/staff/#/stats`)
  await page.getByLabel('账号').fill('finance@demo.hospay')
  await page.getByLabel('密码').fill('wrong')
  await page.getByRole('button', { name: '登录' }).click()
  await page.getByRole('alert').waitFor()
  await context.close()
  const menus = [
    ['reviewer1', '代办审核', '审计日志'], ['auditor', '审计日志', '未有此项'],
    ['config', '系统配置', '退款统计'], ['cashier', '退款订单', '代办审核'],
  ] as const
  for (const [name, sees, never] of menus) {
    const { page, context } = await sit(browser, name)
    await page.getByRole('link', { name: sees }).waitFor()
    expect(await page.getByRole('link', { name: never }).count(), `${name} sees ${never}`).toBe(0)
    await serious(page, `start of ${name}`)
    await context.close()
  }
})

test('TestConsole_OrdinaryReview_FactsThenPaid', async () => {
  const { id, card } = await apply(code(21), 'alipay', 4321)
  await reviewing(id)
  const { page, context } = await sit(browser, 'reviewer1')
  await open(page, '/queue', '退款订单')
  await page.getByRole('tab', { name: /待审核（[1-9]/ }).waitFor()
  await serious(page, 'queue')
  await page.getByRole('row').filter({ hasText: card }).getByRole('link', { name: '审核', exact: true }).click()
  await page.getByRole('heading', { level: 1, name: '退款详情' }).waitFor()
  await page.getByText('可退').first().waitFor() // a balance asked for now
  await page.getByText('自动审核规则').waitFor()
  await serious(page, 'order under review')
  await page.keyboard.press('a')
  await page.getByRole('button', { name: '确认通过' }).waitFor()
  await serious(page, 'approval dialog')
  await page.getByRole('button', { name: '确认通过' }).click()
  await until('paid', async () => (await state(id)) === 'succeeded')
  await open(page, `/orders/${id}`, '退款详情') // the next one that waits may have been opened meanwhile
  await page.getByText('已到账').first().waitFor() // by itself
  await page.getByText('到账').first().waitFor()
  const download = page.waitForEvent('download')
  await page.getByRole('button', { name: '证据包' }).click()
  expect((await download).suggestedFilename()).toMatch(/\.zip$/)
  const pack = readFileSync(await (await download).path())
  expect(pack.subarray(0, 2).toString()).toBe('PK')
  for (const name of ['index.html', 'application.json', 'timeline.json']) expect(pack.includes(name), name).toBe(true)
  const who = await person(code(21), 'alipay')
  for (const [label, value] of [['收款人', who.name], ['收款账户', who.alipay_account], ['通知手机', who.phone]] as const) { // each look is on record
    const field = page.locator('dt', { hasText: label }).locator('+ dd')
    expect(await field.innerText()).not.toContain(value)
    await field.getByRole('button', { name: '查看' }).click()
    if (label === '收款人') { // the reason is asked once for an order
      const why = page.getByRole('dialog', { name: '查看脱敏信息' })
      await why.getByLabel('审核退款').check()
      await serious(page, 'why one looks at an order')
      await why.getByRole('button', { name: '查看', exact: true }).click()
    }
    await field.getByText(value).waitFor()
  }
  expect(await page.getByRole('button', { name: '查看' }).count()).toBe(0)
  await serious(page, 'order paid')
  await context.close()
})

test('TestConsole_RejectionNeedsAReason_PatientReadsIt', async () => {
  const { id } = await apply(code(22), 'alipay', 1234)
  await reviewing(id)
  const { page, context } = await sit(browser, 'reviewer2', 'narrow')
  await open(page, `/orders/${id}`, '退款详情')
  await page.getByRole('button', { name: '驳回（R）' }).click()
  const yes = page.getByRole('button', { name: '确认驳回' })
  expect(await yes.isDisabled()).toBe(true)
  await page.getByLabel('驳回原因').fill('请先结清检查费')
  await serious(page, 'rejection dialog')
  await yes.click()
  await until('rejected', async () => (await state(id)) === 'rejected')
  await page.getByText('审核驳回').first().waitFor()
  await page.getByText('请先结清检查费').first().waitFor()
  await serious(page, 'rejected order')
  await context.close()
})

test('TestConsole_TwoReviewersAtOnce_TheLoserIsTold', async () => {
  const { id } = await apply(code(23), 'alipay', 2222)
  await reviewing(id)
  const a = await sit(browser, 'reviewer1')
  const b = await sit(browser, 'reviewer2')
  for (const { page } of [a, b]) {
    await open(page, `/orders/${id}`, '退款详情')
    await page.getByRole('button', { name: '通过（A）' }).click()
    await page.getByRole('button', { name: '确认通过' }).waitFor()
  }
  await a.page.getByRole('button', { name: '确认通过' }).click()
  await until('approved', async () => (await state(id)) !== 'reviewing')
  await b.page.getByRole('button', { name: '确认通过' }).click()
  await b.page.getByText('状态刚刚发生变化').waitFor()
  await a.context.close()
  await b.context.close()
})

// A working day's batch is 200 (make night); the short form takes 40.
const MANY = process.env.WALKS === 'all' ? 200 : 40

test('TestConsole_Batch_OneBadOrderDoesNotStopTheRest', async () => {
  const made: { id: string }[] = []
  for (let i = 0; i < MANY; i += 10) made.push(...(await Promise.all(Array.from({ length: 10 }, (_, k) => apply(code(40 + i + k), 'alipay', 100 + i + k)))))
  expect(made.length).toBe(MANY)
  await until('all to review', async () => {
    const { reviewing } = await json<Record<string, { count: number }>>(`${app}/api/hospay/queue/counts`, { token: await staff('reviewer1') })
    return (reviewing?.count ?? 0) >= MANY
  })
  const { page, context } = await sit(browser, 'reviewer1')
  let done = 0
  for (let round = 0; round < 6 && done < MANY; round++) {
    await open(page, '/queue', '退款订单')
    await page.getByRole('row').nth(1).waitFor()
    await page.getByRole('checkbox', { name: /全选|选择/ }).first().or(page.locator('thead .el-checkbox')).first().click()
    await page.getByRole('button', { name: /批量审核（\d+）/ }).click()
    const dialog = page.getByRole('dialog', { name: '批量审核' })
    const [, count, sum] = /共 (\d+) 笔，合计 (¥[\d,.]+)/.exec((await dialog.innerText()).replace(/\s+/g, ' ')) ?? []
    // Somebody else decides on one of them meanwhile.
    if (round === 0) await json(
      `${app}/api/collections/reviews/records`,
      { token: await staff('reviewer2'), json: { order: made[0]!.id, decision: 'approve', note: '' } }
    ).catch(() => {})
    const go = dialog.getByRole('button', { name: '开始' })
    await dialog.getByLabel('笔数').fill('1')
    await dialog.getByLabel('合计金额').fill(sum ?? '')
    expect(await go.isDisabled()).toBe(true)
    await dialog.getByLabel('笔数').fill(count ?? '')
    if (round === 0) await serious(page, 'batch dialog')
    await go.click()
    await dialog.getByText('已完成').waitFor()
    expect(await dialog.getByRole('progressbar').getAttribute('aria-valuenow')).toBe('100')
    if (round === 0) await dialog.getByText('未成功 1 笔').waitFor()
    done += Number(count)
    await dialog.getByRole('button', { name: '关闭', exact: true }).click()
    await page.waitForTimeout(1200)
  }
  await until('all paid', async () => {
    const q = new URLSearchParams({ filter: made.slice(-40).map((m) => `id = "${m.id}"`).join(' || '), perPage: '100' })
    const { items } = await json<{ items: { status: string }[] }>(`${app}/api/collections/refund_orders/records?${q}`, { token: await staff('reviewer1') })
    return items.length === 40 && items.every((o) => o.status === 'succeeded')
  })
  await context.close()
})

test('TestConsole_FilterLivesInTheAddress_KeyboardMoves', async () => {
  const { page, context } = await sit(browser, 'finance')
  await open(page, '/queue?tab=succeeded&channel=alipay&per=20', '退款订单')
  await page.getByRole('tab', { name: /已完成/, selected: true }).waitFor()
  await page.getByRole('row').nth(5).waitFor()
  const first = await page.locator('.el-table .chosen').innerText()
  await page.keyboard.press('j')
  await expect.poll(() => page.locator('.el-table .chosen').innerText()).not.toBe(first)
  await page.keyboard.press('k')
  await expect.poll(() => page.locator('.el-table .chosen').innerText()).toBe(first)
  const pageOne = await page.locator('.el-table__row').allInnerTexts()
  await page.getByRole('button', { name: '下一页' }).click()
  await page.getByText('第 2 页').waitFor()
  const pageTwo = await page.locator('.el-table__row').allInnerTexts()
  expect(pageTwo.filter((r) => pageOne.includes(r))).toEqual([])
  await page.getByLabel('姓名、电话或单号').fill('C0021')
  await page.getByRole('button', { name: '查询' }).click()
  await expect.poll(() => page.locator('.el-table__row').count()).toBe(1)
  expect(page.url()).toContain('no=C0021')
  await serious(page, 'filtered queue')
  // The export is exactly the filter.
  const download = page.waitForEvent('download')
  await page.getByRole('button', { name: '导出' }).click()
  const file = await (await download).path()
  const cells = sheets(readFileSync(file))[0]!
  const texts = [...cells.values()]
  expect(texts.filter((t) => t === 'C0021').length).toBe(1)
  expect(texts).toContain('合计')
  expect(texts.some((t) => t.includes('制表'))).toBe(true)
  await context.close()
})

test('TestConsole_StatisticsDrillDownIsTheList', async () => {
  const { page, context } = await sit(browser, 'finance')
  await open(page, '/stats', '退款统计')
  const cell = page.getByRole('button', { name: /^合计 已退 \d+ 笔$/ })
  await cell.waitFor()
  await serious(page, 'statistics')
  const count = Number(/(\d+) 笔/.exec((await cell.getAttribute('aria-label')) ?? '')?.[1])
  await cell.click()
  await page.getByText(new RegExp(`^${count} 笔，合计`)).waitFor()
  const [, sum] = /合计 (¥[\d,.]+)/.exec(await page.locator('.el-drawer').innerText()) ?? []
  expect(await page.locator('tfoot tr').first().innerText()).toContain(sum)
  const arrived = page.locator('.el-drawer table').filter({ hasText: '按渠道实际退款日期合计' })
  const counts = (await arrived.locator('tbody td:last-child').allInnerTexts()).map(Number)
  expect(counts.reduce((a, b) => a + b, 0)).toBe(count)
  const file = page.waitForEvent('download')
  await page.getByRole('button', { name: '导出明细' }).click()
  expect([...sheets(readFileSync(await (await file).path()))[0]!.values()].some((t) => t.includes('统计口径=已退'))).toBe(true)
  const rows = await page.locator('.el-drawer table').last().locator('tbody tr').count()
  expect(rows).toBe(Math.min(50, count))
  await serious(page, 'drill-down')
  await page.keyboard.press('Escape')
  await page.getByRole('checkbox', { name: '与上一期比较' }).locator('..').click()
  await page.locator('tfoot tr').nth(2).waitFor()
  expect((await page.locator('tfoot tr').allInnerTexts()).map((t) => t.split(/\s/)[0])).toEqual(['合计', '上一期', '变化'])
  expect(await page.locator('tfoot tr').nth(2).innerText()).toMatch(/上期为 0|增加|减少|持平/)
  await serious(page, 'two periods')
  const download = page.waitForEvent('download')
  await page.getByRole('button', { name: '导出报表' }).click()
  const texts = [...sheets(readFileSync(await (await download).path()))[0]!.values()]
  expect(texts).toContain('合计')
  expect(texts.some((t) => /元.*分|元整/.test(t))).toBe(true) // the sum in capitals
  // For the finance software, once its layout is known.
  await page.getByRole('button', { name: '记账凭证' }).click()
  await page.getByText('还没有设置凭证格式').waitFor()
  await set('institutions', { voucher_layout: JSON.parse(readFileSync('../internal/voucher/samples/u8.json', 'utf8')) })
  const booked = page.waitForEvent('download')
  await page.getByRole('button', { name: '记账凭证' }).click()
  const lines = new TextDecoder('gbk').decode(readFileSync(await (await booked).path())).split('\r\n')
  expect(lines[0]).toBe('填制凭证,V800')
  const fen = (at: number) => lines.slice(1, -1).reduce((n, l) => n + Math.round(Number(l.split(',')[at]) * 100), 0)
  expect(fen(6)).toBe(fen(7)) // debit and credit
  expect(fen(6)).toBeGreaterThan(0)
  await set('institutions', { voucher_layout: null })
  // The same figures on a sheet to sign.
  await page.getByRole('button', { name: '汇总凭证' }).click()
  const sheet = page.getByRole('article', { name: '退款汇总凭证' })
  await sheet.waitFor()
  expect(await sheet.locator('tr.total').innerText()).toContain(sum)
  expect(await sheet.innerText()).toMatch(/已退合计人民币（大写）.*(元|整)/)
  await serious(page, 'voucher of a period')
  const pdf = await page.pdf({ path: process.env.VOUCHER, preferCSSPageSize: true, printBackground: true })
  expect(pdf.toString('latin1').match(/\/Type\s*\/Page\b/g)?.length).toBe(1)
  await context.close()
})

test('TestConsole_ColumnsAndSavedFiltersAreKept', async () => {
  const { page, context } = await sit(browser, 'cashier', 'narrow')
  await open(page, '/queue?tab=succeeded', '退款订单')
  const column = page.getByRole('columnheader', { name: 'HIS 退款日期' })
  expect(await column.count()).toBe(0)
  await page.getByRole('button', { name: '显示的列' }).click()
  await page.getByRole('checkbox', { name: 'HIS 退款日期' }).locator('..').click()
  await column.waitFor()
  await serious(page, 'columns')
  await page.keyboard.press('Escape')
  await page.getByRole('button', { name: '更多条件' }).click()
  await page.getByLabel('金额从').fill('1.5')
  await page.getByRole('button', { name: '查询' }).click()
  await page.getByRole('button', { name: '常用筛选' }).click()
  await page.getByLabel('筛选名称').fill('一元五角以上')
  await page.getByRole('button', { name: '保存当前' }).click()
  await serious(page, 'saved filters')
  await page.keyboard.press('Escape')
  await reload(page)
  await column.waitFor()
  await page.getByRole('button', { name: '清空' }).click()
  await expect.poll(() => page.url()).not.toContain('min=')
  await page.getByRole('button', { name: '常用筛选' }).click()
  await page.getByRole('button', { name: '一元五角以上' }).click()
  await expect.poll(() => page.url()).toContain('min=1.5')
  await page.getByRole('button', { name: '删除' }).click()
  await page.getByText('还没有保存的筛选').waitFor()
  const download = page.waitForEvent('download')
  await page.getByRole('button', { name: '导出' }).click()
  expect((await download).suggestedFilename()).toMatch(/^退款明细/)
  await context.close()
})

test('TestConsole_AuditIsReadAndVerified', async () => {
  const { id } = await apply(code(21), 'alipay', 2121)
  const token = await staff('reviewer1')
  await json(`${app}/api/hospay/refunds/${id}/reveal`, { token, json: { field: 'payee_name', reason: '核对收款人' } })
  const { no } = await json<{ no: string }>(`${app}/api/collections/refund_orders/records/${id}`, { token })
  const { page, context } = await sit(browser, 'auditor')
  await open(page, '/audit', '审计日志')
  await page.getByRole('row').nth(1).waitFor()
  await page.getByRole('button', { name: '检查哈希链' }).click()
  await page.getByText('哈希链完整').waitFor()
  await serious(page, 'audit log')
  await choose(page, page, '动作', '配置')
  await page.getByRole('button', { name: '查询' }).click()
  await page.getByRole('row').filter({ hasText: '在后台修改配置' }).first().waitFor()
  const download = page.waitForEvent('download')
  await page.getByRole('button', { name: '导出 Excel' }).click()
  const cells = [...sheets(readFileSync(await (await download).path()))[0]!.values()]
  expect(cells.some((t) => t.includes('config.'))).toBe(true)
  expect(cells.some((t) => t.includes('order.'))).toBe(false) // exactly the filter
  await open(page, '/audit', '审计日志')
  await reload(page)
  await page.getByRole('textbox', { name: '退款单号' }).fill(no)
  await page.getByRole('button', { name: '查询' }).click()
  await expect.poll(() => page.getByRole('row').count()).toBe(2) // the head, and the look
  await page.getByRole('row').filter({ hasText: no }).getByText('查看脱敏信息').waitFor()
  await serious(page, 'audit log of an order')
  if (process.env.HOSPAY_PICTURE) await page.screenshot({ path: process.env.HOSPAY_PICTURE })
  const csv = page.waitForEvent('download')
  await page.getByRole('button', { name: '导出 CSV' }).click()
  const file = await csv
  expect(file.suggestedFilename()).toMatch(/^审计日志-\d{8}-\d{6}\.csv$/)
  const lines = readFileSync(await file.path(), 'utf8').trim().split('\r\n')
  expect(lines).toHaveLength(2)
  expect(lines[1]).toContain(no)
  await context.close()
})

test('TestConsole_LongExportIsAJobWithItsFile', async () => {
  // That a long report becomes a job is held by exports.test.ts and TestExport_LongReportsAreJobs; here its page and its file.
  const { id } = await apply(code(20), 'alipay', 1111)
  await json(`${app}/api/hospay/refunds/${id}/reveal`, { token: await staff('reviewer1'), json: { field: 'payee_name', reason: '核对收款人' } })
  await json(`${app}/api/hospay/exports`, { token: await staff('auditor'), json: { report: 'audit', params: {} } })
  const { page, context } = await sit(browser, 'auditor', 'narrow')
  await open(page, '/exports', '导出任务')
  const row = page.getByRole('row').filter({ hasText: '审计日志' }).first()
  await row.getByText('完成', { exact: true }).waitFor()
  expect(await row.getByRole('progressbar').getAttribute('aria-valuenow')).toBe('100')
  await serious(page, 'exports')
  const download = page.waitForEvent('download')
  await row.getByRole('button', { name: '下载审计日志' }).click()
  const file = await download
  expect(file.suggestedFilename()).toMatch(/^审计日志-\d{8}-\d{6}\.xlsx$/)
  expect([...sheets(readFileSync(await file.path()))[0]!.values()].filter((t) => t === 'order.reveal' || t === '查看脱敏信息').length).toBeGreaterThan(0)
  await context.close()
})
