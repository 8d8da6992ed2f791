// The second factor: enrolled in one's own account or in the first login, asked
// for at the next, replaced by a recovery code, or reset by others.
import { createHmac } from 'node:crypto'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { app, launch, listen, PASSWORD } from '../walk'
import { desks, open, serious, set, sit } from './desk'

let browser: Browser
beforeAll(async () => { browser = await launch() })
afterAll(async () => { await browser.close() })

const STEP = 30_000

/** totp is what the app shows (RFC 6238), some steps from now. */
function totp(secret: string, steps: number): string {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
  const bits = [...secret.replace(/=+$/, '')].map((c) => letters.indexOf(c).toString(2).padStart(5, '0')).join('')
  const key = Buffer.from(bits.match(/.{8}/g)!.map((b) => parseInt(b, 2)))
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / STEP) + steps))
  const mac = createHmac('sha1', key).update(counter).digest()
  return String((mac.readUInt32BE(mac[19]! & 15) & 0x7fffffff) % 1_000_000).padStart(6, '0')
}

/** early waits until a step of the clock has enough left for what follows. */
const early = async () => { if (STEP - (Date.now() % STEP) < 12_000) await new Promise((r) => setTimeout(r, STEP - (Date.now() % STEP))) }

async function password(page: Page, name: string): Promise<void> {
  await page.goto(`${app}/staff/#/login`)
  await page.getByLabel('账号').fill(`${name}@demo.hospay`)
  await page.getByLabel('密码').fill(PASSWORD)
  await page.getByRole('button', { name: '登录' }).click()
}

async function visitor(size: keyof typeof desks): Promise<Page> {
  const context = await browser.newContext({ viewport: desks[size], locale: 'zh-CN', timezoneId: 'Asia/Shanghai' })
  const page = await context.newPage()
  listen(page)
  return page
}

const secretOf = async (page: Page) => (await page.getByText(/^不能扫码时手工输入：/).innerText()).split('：')[1]!.trim()
const inside = (page: Page) => page.getByRole('button', { name: '退出' }).waitFor()

test('TestConsole_SecondFactor_EnrolledAskedForReplacedReset', async () => {
  const mine = await sit(browser, 'auditor')
  await open(mine.page, '/account', '我的账号')
  await mine.page.getByText('未绑定').waitFor()
  await mine.page.getByRole('button', { name: '绑定验证器' }).click()
  await mine.page.getByRole('img', { name: '绑定验证器的二维码' }).locator('svg').waitFor()
  await serious(mine.page, 'enrolling')
  const secret = await secretOf(mine.page)
  await mine.page.getByLabel('验证码').fill('000000')
  await mine.page.getByRole('button', { name: '绑定', exact: true }).click()
  await mine.page.getByRole('alert').waitFor()
  await early()
  await mine.page.getByLabel('验证码').fill(totp(secret, -1))
  await mine.page.getByRole('button', { name: '绑定', exact: true }).click()
  await mine.page.getByText('请抄下这些恢复码').waitFor()
  const codes = await mine.page.locator('code').allInnerTexts()
  expect(new Set(codes).size).toBe(10)
  await mine.page.getByText('已绑定，剩余恢复码 10 个').waitFor()
  await serious(mine.page, 'recovery codes')
  await mine.context.close()

  await set('institutions', { second_factor: 'totp' })
  try {
    // The code of the app, at the usual desk.
    const page = await visitor('wide')
    await password(page, 'auditor')
    await page.getByText('验证器显示的 6 位数字').waitFor()
    await serious(page, 'second step')
    await page.getByLabel('验证码').fill('12345')
    await page.getByRole('button', { name: '登录' }).click()
    await page.getByText('验证码不正确').waitFor()
    await early()
    await page.getByLabel('验证码').fill(totp(secret, 0))
    await page.getByRole('button', { name: '登录' }).click()
    await inside(page)
    // A recovery code, once.
    await page.getByRole('button', { name: '退出' }).click()
    await page.getByLabel('密码').waitFor()
    await page.waitForTimeout(1500)
    expect(await page.getByRole('status').count()).toBe(0) // who leaves is not told that the session has ended
    await password(page, 'auditor')
    await page.getByLabel('验证码').fill(codes[0]!)
    await page.getByRole('button', { name: '登录' }).click()
    await inside(page)
    await open(page, '/account', '我的账号')
    await page.getByText('已绑定，剩余恢复码 9 个').waitFor()
    // Who leaves takes the token along: the server knows it no more. And nothing comes by mail.
    const token = await page.evaluate(() => (JSON.parse(localStorage.getItem('hospay_staff') ?? '{}') as { token: string }).token)
    await page.getByRole('button', { name: '退出' }).click()
    await page.getByLabel('密码').waitFor()
    await expect.poll(async () => (await fetch(`${app}/api/hospay/staff/me`, { headers: { Authorization: token } })).status).toBe(401)
    await password(page, 'auditor')
    await page.getByText('验证器显示的 6 位数字').waitFor()
    expect(await page.getByRole('button', { name: /邮箱/ }).count()).toBe(0)
    await page.context().close()
    // Whoever has none enrols in the first login.
    const fresh = await visitor('narrow')
    await password(fresh, 'cashier')
    await fresh.getByRole('img', { name: '绑定验证器的二维码' }).waitFor()
    await serious(fresh, 'enrolling in the login')
    await early()
    await fresh.getByLabel('验证码').fill(totp(await secretOf(fresh), 0))
    await fresh.getByRole('button', { name: '绑定', exact: true }).click()
    await expect.poll(() => fresh.locator('code').count()).toBe(10)
    await fresh.getByRole('button', { name: '我已抄下，进入' }).click()
    await inside(fresh)
    await fresh.context().close()
  } finally {
    await set('institutions', { second_factor: 'off' })
  }

  const other = await sit(browser, 'config')
  for (const name of ['auditor', 'cashier']) {
    await open(other.page, '/config?tab=staff', '系统配置')
    await other.page.getByRole('row').filter({ hasText: `${name}@demo.hospay` }).getByRole('button', { name: /^重置验证器/ }).click()
    const dialog = other.page.getByRole('dialog', { name: /^重置验证器：/ })
    await dialog.getByLabel('原因').fill('手机丢失，本人到场')
    await dialog.getByRole('button', { name: '重置' }).click()
    await dialog.waitFor({ state: 'hidden' })
  }
  await other.context.close()
  const again = await sit(browser, 'auditor', 'narrow')
  await open(again.page, '/account', '我的账号')
  await again.page.getByText('未绑定').waitFor()
  await again.context.close()
})
