// An insured payment as staff see it, how bills may be paid, and the kiosks: looked at on
// ordinary PCs.
import { mkdirSync } from 'node:fs'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { app, json, launch, staff, until } from '../walk'
import { code, open, serious, set, sit, swept } from './desk'
import { orderOf, pays } from './pay'

let browser: Browser
beforeAll(async () => {
  await set('institutions', { refund_alone: 0 })
  browser = await launch()
})
afterAll(async () => {
  await set('institutions', { refund_alone: 100_000 })
  await browser.close()
})

const yuan = (fen: number) => `¥${(fen / 100).toFixed(2).replace(/\B(?=(\d{3})+\.)/g, ',')}`

/** widths looks at a page on ordinary PCs: nothing sticks out, axe finds nothing at all. */
async function widths(page: Page, where: string): Promise<void> {
  await serious(page, where, true)
  const own = page.viewportSize()!
  for (const width of [1366, 1093]) {
    await page.setViewportSize({ width, height: 768 })
    await expect.poll(
      () => page.evaluate(() => document.documentElement.scrollWidth - innerWidth), { message: `${where} scrolls sideways at ${width} px` }
    ).toBeLessThanOrEqual(0)
    if (process.env.LOOK) {
      mkdirSync(process.env.LOOK, { recursive: true })
      await page.screenshot({ path: `${process.env.LOOK}/${where.replace(/\W+/g, '-')}-${width}.png`, fullPage: true })
    }
  }
  await page.setViewportSize(own)
}

/** confirmed lets a second person confirm the change of the configuration that waits. */
async function confirmed(): Promise<void> {
  const token = await staff('finance')
  const { items } = await json<{ items: { id: string; state: string }[] }>(`${app}/api/hospay/config/changes`, { token })
  const waits = items.find((c) => c.state === 'waiting')!
  await json(`${app}/api/hospay/config/changes/${waits.id}/confirm`, { token, json: { note: '核对无误' } })
}

test('TestConsole_Insured_ListToRefundByTwo', async () => {
  const made = await pays(code(33), 12_000, true)
  expect(made.fund + made.account).toBeGreaterThan(0)
  const { page, context } = await sit(browser, 'cashier')
  await open(page, '/payments?needs=&insured=yes', '缴费订单')
  await page.getByLabel('姓名、电话或单号').fill(made.setl_id)
  await page.getByRole('button', { name: '查询', exact: true }).click()
  const row = page.getByRole('row').filter({ hasText: made.no })
  await row.getByText(yuan(made.fund + made.account), { exact: true }).waitFor()
  await row.getByText(yuan(made.cash), { exact: true }).waitFor()
  await widths(page, 'insured list')
  await row.getByRole('link', { name: made.no }).click()

  // What was priced (6202), what the centre says now (6301), and HIS, beside each other.
  await page.getByRole('heading', { name: '金额核对' }).waitFor()
  const cells = async (part: string) => {
    const line = page.getByRole('row').filter({ has: page.getByRole('rowheader', { name: part, exact: true }) })
    return (await line.getByRole('cell').allInnerTexts()).map((c) => c.trim())
  }
  await page.getByRole('columnheader', { name: '医保中心（6301）' }).waitFor()
  expect(await cells('合计')).toEqual([yuan(made.total), yuan(made.total), yuan(made.total)])
  expect((await cells('统筹')).slice(0, 2)).toEqual([yuan(made.fund), yuan(made.fund)])
  expect((await cells('自费')).slice(0, 2)).toEqual([yuan(made.cash), yuan(made.cash)])
  expect(await page.getByText('不一致').count()).toBe(0)
  await widths(page, 'insured payment')

  await page.getByRole('button', { name: '整单退费' }).click()
  await page.getByLabel('退费原因').fill('患者要求退费，药品已退回药房')
  await widths(page, 'insured refund')
  await page.getByRole('button', { name: '提出退费' }).click()
  await page.getByRole('heading', { name: '待第二人确认的退费' }).waitFor()
  await swept(page)
  expect((await orderOf(made.id)).status).toBe('done')
  const second = await sit(browser, 'reviewer2')
  await open(second.page, `/payments/${made.id}`, '缴费详情')
  await second.page.getByRole('button', { name: '确认退费' }).click()
  await widths(second.page, 'insured second person')
  await second.page.getByRole('dialog', { name: '确认退费' }).getByRole('button', { name: '确认退费' }).click()
  // The insurance may want the patient's word again; then nothing goes back before it.
  const ends = await until('it goes back', async () => {
    const { status } = await orderOf(made.id)
    return (status === 'refunded' || status === 'refund_wait_auth') && status
  })
  await second.page.getByRole('heading', { level: 1, name: ends === 'refunded' ? /已退费|全部退费|已退/ : /授权/ }).waitFor()
  await swept(second.page)
  expect(await second.page.locator('main').innerText()).not.toContain('没有扣款') // it is about money that was paid
  await widths(second.page, 'insured refunded')
  await second.context.close()
  await context.close()
})

test('TestConsole_Scenes_ShutByTwoWithAReason', async () => {
  const { page, context } = await sit(browser, 'config')
  await open(page, '/config?tab=scenes', '系统配置')
  const scene = page.getByRole('region', { name: '挂号' })
  await scene.getByRole('group', { name: '停用的线上支付' }).getByLabel('医保支付').check()
  await widths(page, 'scenes')
  const send = page.getByRole('button', { name: '提交修改（1 项）' })
  await send.click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('为什么修改').fill('挂号暂不走医保')
  await dialog.getByRole('button', { name: '提交', exact: true }).click()
  await dialog.getByRole('alert').getByText('请写明原因').waitFor()
  await widths(page, 'scene without reason')
  await dialog.getByRole('button', { name: '取消' }).click()
  await scene.getByLabel('停用支付的原因').fill('挂号费暂时不能用医保，请自费或到窗口')
  await page.getByRole('button', { name: '提交修改（2 项）' }).click()
  await dialog.getByLabel('为什么修改').fill('挂号暂不走医保')
  await dialog.getByRole('button', { name: '提交', exact: true }).click()
  await dialog.waitFor({ state: 'hidden' })
  await confirmed()
  const house = await json<{ institution: { pay_off_registration: string[] } }>(`${app}/api/hospay/config`, { token: await staff('config') })
  expect(house.institution.pay_off_registration).toEqual(['insured'])
  await set('institutions', { pay_off_registration: [], pay_why_registration: '' })
  await context.close()
})

test('TestConsole_Kiosks_EnteredAndWithdrawn', async () => {
  const { page, context } = await sit(browser, 'config')
  await open(page, '/config?tab=kiosks', '系统配置')
  await page.getByRole('heading', { name: '自助机' }).waitFor()
  await widths(page, 'kiosks')
  await page.getByRole('button', { name: '新建' }).click()
  await page.getByLabel('位置').fill('住院部二楼自助区 3 号机，靠近出入院办理窗口')
  expect(await page.getByLabel('读卡服务地址').count()).toBe(0) // nothing is read here before a card is chosen
  await widths(page, 'new kiosk')
  await page.getByRole('button', { name: '取消' }).click()
  await page.getByRole('button', { name: /^设备码/ }).first().click()
  const shown = page.getByRole('dialog', { name: /^设备码/ })
  await expect.poll(() => shown.locator('.kiosk-code').innerText()).toMatch(/\S{6,}/)
  await shown.getByText(`${app}/kiosk/`).waitFor()
  await widths(page, 'kiosk code')
  await shown.getByRole('button', { name: '关闭' }).last().click()
  await page.getByText('等待登记').waitFor()
  await widths(page, 'kiosk waits')
  await page.getByRole('button', { name: /^停用/ }).first().click()
  await page.getByRole('dialog', { name: /^停用自助机/ }).waitFor()
  await widths(page, 'kiosk withdrawn')
  await page.getByRole('button', { name: '取消' }).last().click()
  await context.close()
})
