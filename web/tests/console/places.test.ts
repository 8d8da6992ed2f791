// Where one is: the page of a list in the address, what waits in the tab's title,
// the way back, how close the rows stand; and what a review costs in clicks and keys.
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { app, json, launch, reload, staff, until } from '../walk'
import { apply, choose, code, counted, inSight, open, serious, set, sit, state } from './desk'

let browser: Browser
beforeAll(async () => { browser = await launch() })
afterAll(async () => { await browser.close() })

const rows = (page: Page) => page.locator('.el-table__row').allInnerTexts()

/** rejected makes orders that were rejected, more than a small page of them. */
async function rejected(n: number): Promise<void> {
  const made = await Promise.all(Array.from({ length: n }, (_, i) => apply(code(200 + i), 'alipay', 5600 + i)))
  for (const { id } of made) {
    await until('to review', async () => (await state(id)) === 'reviewing')
    await json(`${app}/api/collections/reviews/records`, { token: await staff('reviewer2'), json: { order: id, decision: 'reject', note: '请到窗口办理' } })
  }
  for (const { id } of made) await until('rejected', async () => (await state(id)) === 'rejected')
}

test('TestConsole_ThePageOfTheQueueIsInTheAddress', async () => {
  await rejected(24)
  const { page, context } = await sit(browser, 'finance')
  await open(page, '/queue?tab=rejected&channel=alipay&per=20', '退款订单')
  await page.getByText(/第 1 页，共 \d+ 笔，合计/).waitFor()
  await page.getByRole('button', { name: '下一页' }).click()
  await page.getByText(/第 2 页，共 \d+ 笔，合计/).waitFor()
  const second = await rows(page)
  expect(second.length).toBeGreaterThan(0)
  expect(page.url()).toContain('page=2')
  await reload(page) // the same page, though nobody knows any more where it began
  await page.getByText(/第 2 页，共 \d+ 笔，合计/).waitFor()
  await expect.poll(() => rows(page)).toEqual(second)
  await page.locator('.el-table__row').nth(3).getByRole('link', { name: '查看' }).click()
  await page.getByRole('heading', { level: 1, name: '退款详情' }).waitFor()
  await reload(page)
  await page.getByRole('heading', { level: 1, name: '退款详情' }).waitFor()
  await page.goBack()
  await page.getByText(/第 2 页，共 \d+ 笔，合计/).waitFor()
  await expect.poll(() => rows(page)).toEqual(second)
  await page.goBack()
  await page.getByText(/第 1 页，共 \d+ 笔，合计/).waitFor()
  await page.getByLabel('页码').fill('2')
  await page.getByLabel('页码').press('Enter')
  await page.getByText(/第 2 页，共 \d+ 笔，合计/).waitFor()
  await expect.poll(() => rows(page)).toEqual(second)
  // A page that is no more: the last one there is.
  await open(page, '/queue?tab=rejected&channel=alipay&page=900&per=20', '退款订单')
  await expect.poll(async () => (await rows(page)).length).toBeGreaterThan(0)
  expect(page.url()).not.toContain('page=900')
  // How much a page holds is chosen once.
  await choose(page, page, '每页', '每页 100')
  await expect.poll(() => page.url()).toContain('per=100')
  await open(page, '/queue?tab=rejected', '退款订单')
  await page.locator('.pages').getByText('每页 100').first().waitFor()
  await serious(page, 'pages of the queue')
  await context.close()
})

test('TestConsole_TitleTrailAndDensity', async () => {
  const { id } = await apply(code(224), 'alipay', 5411)
  await until('to review', async () => (await state(id)) === 'reviewing')
  const { page, context } = await sit(browser, 'reviewer1')
  await open(page, '/queue', '退款订单')
  const house = await page.locator('.side .house').innerText()
  await expect.poll(() => page.title()).toMatch(new RegExp(`^\\(\\d+\\) 退款订单 · ${house}$`))
  // Back by the trail, to the list as it was.
  await open(page, '/queue?tab=rejected&per=20', '退款订单')
  await page.getByText(/第 1 页，共/).waitFor()
  await page.locator('.el-table__row').first().getByRole('link', { name: '查看' }).click()
  await page.getByRole('heading', { level: 1, name: '退款详情' }).waitFor()
  await expect.poll(() => page.title()).toMatch(/^\(\d+\) 退款详情 · /)
  const trail = page.getByRole('navigation', { name: '当前位置' })
  await expect.poll(() => trail.innerText()).toMatch(/退款订单\s*R\d+/)
  await page.keyboard.press('j') // the next one, and the number stays in the title
  await page.waitForURL((u) => u.hash.startsWith('#/orders/'))
  await expect.poll(() => page.title()).toMatch(/^\(\d+\) 退款详情 · /)
  await trail.getByRole('link', { name: '退款订单' }).click()
  await page.getByRole('tab', { name: /已驳回/, selected: true }).waitFor()
  expect(page.url()).toContain('per=20')
  // 紧凑: lower rows, all in sight, kept for the next time.
  const height = () => page.locator('.el-table__row').first().evaluate((r) => r.getBoundingClientRect().height)
  const before = await height()
  await page.getByRole('button', { name: '紧凑' }).click()
  await expect.poll(height).toBeLessThan(before)
  await inSight(page, '退款订单，紧凑')
  await serious(page, 'dense queue')
  await reload(page)
  await page.getByRole('button', { name: '舒适' }).waitFor()
  await page.locator('.el-table__row').first().waitFor()
  expect(await height()).toBeLessThan(before)
  await context.close()
})

test('TestConsole_ClicksAndKeysOfAReview', async () => {
  const made = [await apply(code(225), 'alipay', 5421), await apply(code(226), 'alipay', 5422), await apply(code(227), 'alipay', 5423)]
  for (const { id } of made) await until('to review', async () => (await state(id)) === 'reviewing')
  await set('review_settings', { reject_reasons: ['请到窗口办理', '请先结清检查费'] })
  const { page, context } = await sit(browser, 'reviewer1')
  await open(page, '/queue', '退款订单')
  await page.getByText(/第 1 页，共 \d+ 笔，合计/).waitFor()
  await page.getByRole('row').filter({ hasText: made[0]!.card }).getByRole('link', { name: '审核', exact: true }).click()
  const spent = await counted(page) // one page: it is never loaded anew
  const order = () => page.url().split('/').at(-1)!
  const ready = async () => {
    await page.getByText('自动审核规则').waitFor()
    await page.getByRole('button', { name: '通过（A）', disabled: false }).waitFor()
  }
  const focused = (text: string) => expect.poll(() => page.evaluate(() => document.activeElement?.textContent?.trim())).toBe(text)

  await ready()
  const first = order()
  await page.keyboard.press('a')
  await focused('确认通过')
  await page.keyboard.press('Enter')
  await expect.poll(order).not.toBe(first) // the next one is open
  expect(await state(first)).not.toBe('reviewing')
  expect(await spent()).toEqual({ clicks: 0, keys: 2 })

  await ready()
  const second = order()
  await page.getByRole('button', { name: '通过（A）' }).click()
  await page.getByRole('button', { name: '确认通过' }).click()
  await expect.poll(order).not.toBe(second)
  expect(await state(second)).not.toBe('reviewing')
  expect(await spent()).toEqual({ clicks: 2, keys: 0 })

  // One of the house's reasons: R, its number, Enter; or three clicks. The text can be changed.
  await ready()
  const third = order()
  await page.keyboard.press('r')
  await page.getByRole('dialog', { name: '驳回' }).getByRole('button', { name: '请先结清检查费' }).waitFor()
  await page.waitForTimeout(400) // the dialog has come to rest
  await page.keyboard.press('2')
  expect(await page.getByLabel('驳回原因').inputValue()).toBe('请先结清检查费')
  await focused('确认驳回')
  expect(await spent()).toEqual({ clicks: 0, keys: 2 })
  await serious(page, 'reasons to reject')
  await page.getByLabel('驳回原因').fill('请先结清检查费和药费')
  await page.getByRole('button', { name: '确认驳回' }).click()
  await until('rejected', async () => (await state(third)) === 'rejected')
  const { fail_reason: told } = await json<{ fail_reason: string }>(
    `${app}/api/collections/refund_orders/records/${third}`, { token: await staff('reviewer1') }
  )
  expect(told).toContain('请先结清检查费和药费')
  await set('review_settings', { reject_reasons: null })
  await context.close()
})

test('TestConsole_ReasonsAreSettings_TheSheetIsSigned', async () => {
  const { page, context } = await sit(browser, 'config')
  await open(page, '/config?tab=review', '系统配置')
  const field = page.getByLabel('驳回原因')
  await expect.poll(() => field.inputValue()).toContain('有未结清的费用，请结清后再申请') // the shipped ones
  await field.fill('请到窗口办理\n\n  请先结清检查费 ')
  await page.getByRole('button', { name: '提交修改（1 项）' }).click()
  const ask = page.getByRole('dialog')
  await serious(page, 'reasons proposed')
  await ask.getByLabel('为什么修改').fill('常用的只有两条')
  await ask.getByRole('button', { name: '提交' }).click()
  await page.getByText('等待另一位同事确认后生效').waitFor()
  const finance = await staff('finance')
  const { items: [change] } = await json<{ items: { id: string; after: unknown }[] }>(
    `${app}/api/hospay/config/changes?state=waiting&target=review_settings`, { token: finance }
  )
  expect(change!.after).toEqual({ reject_reasons: ['请到窗口办理', '请先结清检查费'] })
  await open(page, '/config?tab=changes', '系统配置')
  await page.getByText('请到窗口办理、请先结清检查费').first().waitFor() // as the second person reads it
  await json(`${app}/api/hospay/config/changes/${change!.id}/reject`, { token: finance, json: { note: '再想想' } })
  await context.close()

  // 退款凭证: opened from the order, one sheet.
  let one = { id: '', no: '' }
  await until('somebody was paid', async () => {
    const url = `${app}/api/hospay/queue?status=succeeded&sort=newest&per_page=1`
    const { items } = await json<{ items: { id: string; no: string }[] }>(url, { token: await staff('finance') })
    one = items[0] ?? one
    return !!one.id
  })
  const desk = await sit(browser, 'finance', 'narrow')
  await open(desk.page, `/orders/${one.id}`, '退款详情')
  await desk.page.getByRole('button', { name: '退款凭证' }).click()
  const sheet = desk.page.getByRole('article', { name: '退款凭证' })
  await sheet.waitFor()
  const house = await desk.page.locator('.side .house').innerText()
  for (const word of [house, one.no, '人民币（大写）', '商户单号', '领款人签字', '财务员 打印于']) {
    expect(await sheet.innerText()).toContain(word)
  }
  await serious(desk.page, 'voucher')
  const pdf = await desk.page.pdf({ path: process.env.VOUCHER, preferCSSPageSize: true, printBackground: true })
  expect(pdf.toString('latin1').match(/\/Type\s*\/Page\b/g)?.length).toBe(1)
  await desk.context.close()
})
