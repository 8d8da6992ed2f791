// The name stands on the page before the page does: the ticket is exchanged while
// the scripts are on their way, once.
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { app, dismissCare, launch, listen, person, phone, quiet } from '../walk'

let browser: Browser
beforeAll(async () => { browser = await launch() })
afterAll(async () => { await browser.close() })

test('TestEntry_TheNameComesBeforeTheScripts_TheTicketIsExchangedOnce', async () => {
  const context = await browser.newContext(phone)
  const page = await context.newPage()
  listen(page)
  let exchanged = 0
  let open = () => {}
  const opened = new Promise<void>((done) => { open = done })
  page.on('request', (r) => { if (r.url().endsWith('/auth/ticket')) exchanged++ })
  await page.route('**/assets/portal-*.js', async (route) => {
    await opened
    await route.continue()
  })
  const { ticket } = await person('P0001', 'wechat')
  await page.goto(`${app}/?ticket=${encodeURIComponent(ticket)}`, { waitUntil: 'commit' })
  await page.getByText('，您好，正在打开…').waitFor()
  open()
  await page.getByRole('heading', { level: 1, name: '看病缴费和退款' }).waitFor()
  await dismissCare(page)
  expect(page.url()).not.toContain('ticket')
  expect(exchanged).toBe(1)
  // The same ticket a second time is told as ever.
  await page.evaluate(() => localStorage.clear())
  await page.goto(`${app}/?ticket=${encodeURIComponent(ticket)}`)
  await page.getByText('登录凭证已被使用').first().waitFor()
  await page.getByRole('heading', { level: 1, name: '进入预交金退款' }).waitFor()
  expect(exchanged).toBe(2)
  quiet(page)
  await context.close()
})
