// The console on a phone: a reviewer on duty finds what waits and decides on it.
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { app, fits, launch, listen, PASSWORD, phone, quiet, until } from '../walk'
import { apply, code, serious, state } from './desk'

let browser: Browser
beforeAll(async () => { browser = await launch() })
afterAll(async () => { await browser.close() })

const shot = async (page: Page, name: string) => {
  if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/duty-${name}.png` })
}

/** tappable: what is tapped is 44 px high, links in running text apart. */
async function tappable(page: Page, where: string): Promise<void> {
  const small = await page.evaluate(() => [...document.querySelectorAll('button, .bar a, .order, [role=tab]')]
    .filter((e) => e.getClientRects().length && !e.closest('.el-input, .el-select, .crumbs') && e.getBoundingClientRect().height < 43.5)
    .map((e) => `${e.textContent?.trim()} ${e.getBoundingClientRect().height}`))
  expect(small, where).toEqual([])
}

test('TestConsole_OnAPhone_AReviewerOnDutyDecides', async () => {
  const made = [await apply(code(38), 'alipay', 5701), await apply(code(39), 'alipay', 5702)]
  for (const { id } of made) await until('to review', async () => (await state(id)) === 'reviewing')
  const context = await browser.newContext({ ...phone, viewport: { width: 390, height: 844 } })
  const page = await context.newPage()
  listen(page)
  await page.goto(`${app}/staff/`)
  await page.getByLabel('账号').fill(`reviewer1@demo.hospay`)
  await page.getByLabel('密码').fill(PASSWORD)
  await page.getByRole('button', { name: '登录' }).tap()
  await page.getByRole('heading', { level: 1, name: '等我处理' }).waitFor()
  await fits(page, 'home')
  await tappable(page, 'home')
  await shot(page, 'home')

  // The menu is a drawer, which goes away by itself.
  const menu = page.getByRole('button', { name: /^菜单/ })
  expect(await page.getByRole('link', { name: '审核记录' }).isVisible()).toBe(false)
  await menu.tap()
  await page.getByRole('link', { name: '审核记录' }).waitFor()
  expect(await menu.getAttribute('aria-expanded')).toBe('true')
  await serious(page, 'menu')
  await shot(page, 'menu')
  await page.keyboard.press('Escape')
  await page.getByRole('link', { name: '审核记录' }).waitFor({ state: 'hidden' })
  await menu.tap()
  await page.getByRole('navigation', { name: '主菜单' }).getByRole('link', { name: /^退款订单/ }).tap()
  await page.getByRole('heading', { level: 1, name: '退款订单' }).waitFor()
  await page.getByRole('link', { name: '审核记录' }).waitFor({ state: 'hidden' })

  // Cards, each of which opens its order.
  const card = (amount: string) => page.getByRole('list', { name: '退款订单' }).getByRole('link').filter({ hasText: amount })
  await card('¥57.01').waitFor()
  await tappable(page, 'list')
  for (const width of [320, 390]) {
    await page.setViewportSize({ width, height: 844 })
    await fits(page, `list at ${width}`)
  }
  await serious(page, 'list')
  await shot(page, 'list')
  await card('¥57.01').tap()
  const approve = page.getByRole('button', { name: '通过（A）' })
  await approve.waitFor()
  await tappable(page, 'order')
  for (const width of [320, 390]) {
    await page.setViewportSize({ width, height: 844 })
    await fits(page, `order at ${width}`)
  }
  await serious(page, 'order')
  await shot(page, 'order')
  await approve.tap()
  await page.getByRole('button', { name: '确认通过' }).waitFor()
  await fits(page, 'sure')
  await shot(page, 'sure')
  await page.getByRole('button', { name: '确认通过' }).tap()
  await until('approved', async () => (await state(made[0]!.id)) !== 'reviewing')

  await page.goto(`${app}/staff/#/orders/${made[1]!.id}`)
  await page.getByText('¥57.02').first().waitFor()
  await page.getByRole('button', { name: '驳回（R）' }).tap()
  const dialog = page.getByRole('dialog', { name: '驳回' })
  await dialog.getByRole('button').filter({ hasText: /^1/ }).first().tap()
  await fits(page, 'reject')
  await shot(page, 'reject')
  await dialog.getByRole('button', { name: /^(确认)?驳回/ }).last().tap()
  await until('rejected', async () => (await state(made[1]!.id)) !== 'reviewing')
  quiet(page)
  await context.close()
})
