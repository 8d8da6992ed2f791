// Bad ways: a part of the page that does not come, a slow network, a new version.
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { launch, reload, until } from '../walk'
import { apply, code, open, serious, sit, state } from './desk'

let browser: Browser
beforeAll(async () => { browser = await launch() })
afterAll(async () => { await browser.close() })

test('TestConsole_APartThatDoesNotCome_IsAskedForAgain_ThenSaid', async () => {
  const { id, card } = await apply(code(236), 'alipay', 5401)
  await until('to review', async () => (await state(id)) === 'reviewing')
  const { page, context } = await sit(browser, 'reviewer1')
  await open(page, '/queue', '退款订单')
  const row = page.getByRole('row').filter({ hasText: card })
  await page.route(/\/assets\/Order-[^/]+\.js$/, (r) => r.abort()) // the first time only: the second has a name of its own
  await reload(page)
  await row.getByRole('link', { name: '审核', exact: true }).click()
  await page.getByRole('heading', { level: 1, name: '退款详情' }).waitFor()
  await page.route(/\/assets\/Order-/, (r) => r.abort()) // always
  await open(page, '/queue', '退款订单')
  await reload(page)
  await row.getByRole('link', { name: '审核', exact: true }).click()
  await page.getByRole('alert').filter({ hasText: '页面没有打开' }).waitFor()
  await serious(page, 'a page that did not open')
  await page.unrouteAll()
  await page.getByRole('button', { name: '再试一次' }).click()
  await page.getByRole('heading', { level: 1, name: '退款详情' }).waitFor()
  expect(await page.getByRole('alert').count()).toBe(0)
  await context.close()
})

test('TestConsole_ATabShowsNothingOfTheFormerOne', async () => {
  const { id, card } = await apply(code(237), 'alipay', 5402)
  await until('to review', async () => (await state(id)) === 'reviewing')
  const { page, context } = await sit(browser, 'reviewer1')
  await open(page, '/queue', '退款订单')
  await page.getByRole('row').filter({ hasText: card }).waitFor()
  let go = () => {}
  const gate = new Promise<void>((f) => { go = f })
  await page.route(/\/api\/hospay\/queue\?.*tab=succeeded/, async (r) => { await gate; await r.continue() })
  await page.getByRole('tab', { name: /^已完成/ }).click()
  await page.getByText('正在读取…').waitFor()
  expect(await page.getByRole('row').filter({ hasText: card }).count()).toBe(0)
  go()
  await page.getByText('正在读取…').waitFor({ state: 'detached' })
  await context.close()
})

test('TestConsole_ANewVersionIsAnnounced', async () => {
  const { page, context } = await sit(browser, 'finance')
  await open(page, '/queue', '退款订单')
  await page.clock.install()
  await reload(page)
  await page.getByRole('heading', { level: 1, name: '退款订单' }).waitFor()
  const asked = page.waitForResponse((r) => r.url().endsWith('/staff/') && r.request().resourceType() === 'fetch')
  await page.clock.fastForward('05:01')
  await asked
  expect(await page.locator('.fresh').count()).toBe(0) // it is the same one
  await page.route('**/staff/', (r) => (
    r.request().resourceType() === 'fetch' ? r.fulfill({ contentType: 'text/html', body: '<script src="/assets/staff-another.js"></script>' }) : r.continue()
  ))
  await page.clock.fastForward('05:01')
  await page.getByRole('status').filter({ hasText: '系统已升级' }).waitFor()
  await serious(page, 'a new version')
  await page.locator('.fresh').getByRole('button', { name: '刷新', exact: true }).click()
  await page.getByRole('heading', { level: 1, name: '退款订单' }).waitFor()
  expect(await page.getByText('系统已升级').count()).toBe(0)
  await context.close()
})
