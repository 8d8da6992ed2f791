// What patients look for: the balance, whom to call, where the money goes and
// when, the phone that the hospital has, a transfer by choice, the way back.
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { accessible, app, fits, launch, orders, quiet, visit } from '../walk'

let browser: Browser
beforeAll(async () => { browser = await launch() })
afterAll(async () => { await browser.close() })

const SHOTS = process.env.SHOTS
async function shot(page: Page, name: string): Promise<void> {
  if (SHOTS) await page.screenshot({ path: `${SHOTS}/${name}.png`, fullPage: true })
}

const next = (page: Page) => page.getByRole('button', { name: '下一步' }).click()

test('TestPatients_FromBalanceToTheWayBack', async () => {
  const { page, who, context } = await visit(browser, 'P0024', 'wechat')
  const before = new Set((await orders(who.cards[0]!)).map((o) => o.id))
  await page.getByText(/^可退 ¥/).waitFor()
  expect(await page.getByRole('link', { name: /拨打医院服务电话/ }).getAttribute('href')).toBe('tel:057188880000')
  await accessible(page, 'start with balance')
  await shot(page, 'home')
  await page.getByRole('button', { name: '申请退款' }).click()
  await page.getByLabel('我已阅读并同意退款须知').check()
  await next(page)
  await page.getByText(who.cards[0]!).first().waitFor()
  const card = page.getByRole('radio').first()
  if (!await card.isChecked()) await card.check()
  await next(page)
  await page.getByRole('heading', { level: 1, name: '退款渠道' }).waitFor()
  await page.getByText(/月\d+日 缴 ¥/).first().waitFor() // the payment that goes back
  await shot(page, 'route')
  await page.getByLabel('全部转账给我').check()
  await expect.poll(() => page.getByText('退回原微信支付账户').count()).toBe(0)
  await accessible(page, 'all by transfer')
  await shot(page, 'route-transfer')
  await page.getByRole('button', { name: '下一步' }).click()
  await page.getByRole('heading', { level: 1, name: '收款信息' }).waitFor()
  await expect.poll(() => page.getByLabel('通知手机号').inputValue()).toBe(`${who.phone.slice(0, 3)}****${who.phone.slice(7)}`)
  await page.getByLabel('收款人姓名').fill(who.name)
  await shot(page, 'details')
  await next(page)
  await page.getByRole('heading', { level: 1, name: '核对并提交' }).waitFor()
  await page.getByRole('button', { name: '确认提交' }).click()
  await page.getByRole('heading', { level: 1, name: '已提交，请留意进度' }).waitFor()
  const made = (await orders(who.cards[0]!)).filter((o) => !before.has(o.id))
  expect([...new Set(made.map((o) => o.method))]).toEqual(['transfer'])

  // The way back leads to no application that is half filled in.
  await page.getByRole('button', { name: '‹ 返回' }).click()
  await page.getByRole('heading', { level: 1, name: '看病缴费和退款' }).waitFor()

  await page.goto(`${app}/#/records/${made[0]!.id}`)
  const coming = page.locator('.timeline [data-coming]')
  await coming.first().waitFor()
  expect((await coming.allInnerTexts()).join(' ')).toMatch(/您确认收款.*到账\s+您确认收款后马上到账/s)
  await page.getByText('微信零钱').first().waitFor()
  await accessible(page, 'order with steps to come')
  await shot(page, 'detail')
  await page.getByRole('button', { name: 'English' }).click()
  await page.getByText('The money arrives').waitFor()
  for (const width of [375, 320]) {
    await page.setViewportSize({ width, height: 812 })
    await fits(page, `order in English, ${width}`)
    await shot(page, `detail-en-${width}`)
  }
  await page.getByRole('button', { name: '中文' }).click()
  await page.getByRole('button', { name: '撤销申请' }).click()
  await page.getByRole('button', { name: '撤销', exact: true }).click()
  await page.getByText('已撤销', { exact: false }).first().waitFor() // whoever comes next finds the card free
  await expect.poll(() => coming.count()).toBe(0)
  quiet(page)
  await context.close()
})

/** atTheRight: every amount that ends a line stands at its right edge. */
async function atTheRight(page: Page, where: string): Promise<void> {
  const rows = await page.locator('.row:has(> .money:last-child), .facts:has(.money)').all()
  expect(rows.length, where).toBeGreaterThan(0)
  for (const row of rows) {
    const outer = (await row.boundingBox())!
    for (const money of await row.locator('.money').all()) {
      const box = (await money.boundingBox())!
      expect(Math.abs(outer.x + outer.width - box.x - box.width), `${where}: ${await money.innerText()}`).toBeLessThanOrEqual(1)
    }
  }
  await fits(page, where)
}

test('TestPatients_AmountsStandAtTheRightInCareMode', async () => {
  const { page, who, context } = await visit(browser, 'P0022', 'wechat', { viewport: { width: 320, height: 700 } })
  await page.getByRole('button', { name: '关怀版' }).click()
  await shot(page, 'home-care')
  const looks = async (name: string) => {
    for (const width of [320, 375]) {
      await page.setViewportSize({ width, height: 700 })
      await atTheRight(page, `${name}, ${width}`)
      await shot(page, `${name}-care-${width}`)
    }
  }
  await page.getByRole('button', { name: '申请退款' }).click()
  await page.getByLabel('我已阅读并同意退款须知').check()
  await next(page)
  await page.getByRole('radio').first().check()
  await looks('card')
  await next(page)
  await page.getByRole('button', { name: '下一步' }).waitFor()
  await page.getByRole('heading', { level: 1, name: '退款渠道' }).waitFor()
  await page.getByText(/转账退回|原路退回/).first().waitFor()
  await looks('route')
  await next(page)
  await page.getByLabel('收款人姓名').fill(who.name)
  await next(page)
  await page.getByRole('heading', { level: 1, name: '核对并提交' }).waitFor()
  await looks('check')
  await accessible(page, 'check in care mode')
  quiet(page)
  await context.close()
})

test('TestPatients_WhereTheServerIsGone_TheyAreGivenTheNumber', async () => {
  const { page, context } = await visit(browser, 'P0001', 'wechat')
  await page.route('**/api/collections/refund_orders/**', (route) => route.fulfill({ status: 502, contentType: 'text/html', body: '<h1>Bad Gateway</h1>' }))
  await page.goto(`${app}/#/records`)
  const told = page.getByRole('alert').first()
  await told.getByText('系统暂时打不开').waitFor()
  expect(await told.innerText()).not.toContain('信息科')
  expect(await told.getByRole('link', { name: /拨打医院服务电话/ }).getAttribute('href')).toBe('tel:057188880000')
  await accessible(page, '502')
  await shot(page, '502')
  await context.close()
})

test('TestPatients_PapersForAnother', async () => {
  const { page, context } = await visit(browser, 'P0011', 'wechat')
  await page.goto(`${app}/#/proxy/new`)
  await page.getByLabel('被代办人证件类型').selectOption({ label: '护照' })
  await page.getByLabel('被代办人证件号码').fill('护照1')
  await page.getByLabel('被代办人证件号码').blur()
  await page.getByText('证件号码不符合所选证件的格式').waitFor()
  expect(await page.locator('.choice', { hasText: '行动不便的成年人' }).innerText()).not.toContain('另一面') // a passport has one page
  await page.getByLabel('被代办人证件类型').selectOption({ label: '外国人永久居留身份证' })
  await page.getByLabel('被代办人证件号码').fill('usa110085010112')
  await page.getByLabel('被代办人证件号码').blur()
  await expect.poll(() => page.getByText('证件号码不符合所选证件的格式').count()).toBe(0)
  expect(await page.locator('.choice', { hasText: '行动不便的成年人' }).innerText()).toMatch(/另一面.*授权委托书/s)
  await page.getByRole('radio', { name: '行动不便的成年人' }).check()
  await accessible(page, 'an adult who cannot come')
  await shot(page, 'proxy-new')
  await page.goto(`${app}/#/attorney`)
  await page.getByRole('button', { name: '打印' }).waitFor()
  for (const width of [320, 375]) {
    await page.setViewportSize({ width, height: 700 })
    await fits(page, `power of attorney, ${width}`)
  }
  await accessible(page, 'power of attorney')
  await shot(page, 'attorney')
  quiet(page)
  await context.close()
})
