// The console over the demo's past: every place, as those see it who work there.
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { app, json, launch, listen, PASSWORD, staff } from '../walk'
import { open, sit } from '../console/desk'
import { camera, type Shoot } from './camera'

let browser: Browser
beforeAll(async () => { browser = await launch() })
afterAll(async () => { await browser.close() })

const back = (days: number) => new Date(Date.now() - days * 86_400_000 + 8 * 3_600_000).toISOString().slice(0, 10)

async function orderIn(tab: string): Promise<string> {
  const { items } = await json<{ items: { id: string }[] }>(`${app}/api/hospay/queue?tab=${tab}`, { token: await staff('reviewer2') })
  expect(items.length, `orders in ${tab}`).toBeGreaterThan(0)
  return items[0]!.id
}

async function payments(page: Page, shoot: Shoot): Promise<void> {
  await open(page, '/payments?needs=', '缴费订单')
  await page.locator('.el-table__body tr').first().waitFor()
  await shoot(page, 'payments')
  const { items } = await json<{ items: { id: string }[] }>(
    `${app}/api/hospay/payments?status=done,part_refunded&insured=yes`, { token: await staff('finance') }
  )
  await open(page, `/payments/${items[0]!.id}`, '缴费详情')
  await page.getByText('HIS 现在：').first().waitFor()
  await shoot(page, 'payment')
  await page.getByRole('button', { name: '整单退费' }).click()
  await shoot(page, 'payment-refund')
  await page.keyboard.press('Escape')
  await open(page, '/payment-stats', '缴费统计')
  await page.locator('tfoot tr').waitFor()
  await shoot(page, 'payment-stats')
}

async function reviewers(page: Page, shoot: Shoot): Promise<void> {
  await open(page, '/queue', '退款订单')
  await shoot(page, 'queue')
  await page.getByRole('button', { name: '更多条件' }).or(page.getByRole('button', { name: '收起' })).first().click()
  await shoot(page, 'queue-filters')
  await page.getByRole('button', { name: '显示的列' }).click()
  await shoot(page, 'queue-columns')
  await page.keyboard.press('Escape')
  await open(page, '/queue?tab=succeeded', '退款订单')
  await shoot(page, 'queue-succeeded')
  await open(page, '/queue?tab=succeeded&card_no=NOBODY', '退款订单')
  await shoot(page, 'queue-empty')
  for (const tab of ['reviewing', 'succeeded', 'rejected']) {
    await open(page, `/orders/${await orderIn(tab)}`, '退款详情')
    await shoot(page, `order-${tab}`)
  }
  await open(page, `/orders/${await orderIn('reviewing')}`, '退款详情')
  await page.getByRole('button', { name: '驳回（R）' }).click()
  await shoot(page, 'order-reject')
  await page.keyboard.press('Escape')
  await page.getByRole('button', { name: '通过（A）' }).click()
  await shoot(page, 'order-approve')
  await open(page, '/proxies', '代办审核')
  await shoot(page, 'proxies')
  await page.getByRole('link', { name: '审核', exact: true }).first().click()
  await page.getByRole('heading', { level: 1, name: /代办详情/ }).waitFor()
  await shoot(page, 'proxy-shut')
  await page.getByRole('button', { name: '其他原因' }).click()
  await shoot(page, 'proxy-why')
  await page.getByRole('button', { name: '取消' }).click()
  await page.getByRole('button', { name: '审核代办申请' }).click()
  await page.locator('.pane canvas').nth(1).waitFor()
  await shoot(page, 'proxy')
  await open(page, '/reveals', '查看放行')
  await shoot(page, 'reveals')
  await open(page, '/account', '我的账号')
  await shoot(page, 'account')
  await page.goto(`${app}/staff/#/orders/nobody00000000`)
  await page.getByRole('alert').first().waitFor()
  await shoot(page, 'order-missing')
}

async function clerks(page: Page, shoot: Shoot): Promise<void> {
  const places = [
    ['/unknown', '结果待查', 'unknown'], ['/suspense', '挂账处理', 'suspense'], ['/receipts', '电子回单', 'receipts'], ['/exports', '导出任务', 'exports'],
    ['/recon', '三方对账', 'calendar'], ['/stats', '退款统计', 'stats'],
  ] as const
  for (const [route, heading, name] of places) {
    await open(page, route, heading)
    await shoot(page, name)
  }
  await page.getByRole('button', { name: '最近 7 天' }).click()
  await shoot(page, 'stats-week')
  await page.getByRole('button', { name: /^合计 已退 \d+ 笔$/ }).click()
  await page.locator('.el-drawer tbody tr').first().waitFor()
  await shoot(page, 'stats-detail')
  await open(page, `/recon/${back(1)}`, `${back(1)} 对账`)
  await shoot(page, 'day-yesterday')
  await open(page, `/recon/${back(5)}`, `${back(5)} 对账`) // where the demo has planted a difference
  await page.getByRole('button', { name: /^处理/ }).first().waitFor()
  await shoot(page, 'day')
  await page.getByRole('button', { name: /^处理/ }).first().click()
  await shoot(page, 'difference')
  await page.keyboard.press('Escape')
  await page.getByRole('button', { name: '上传账单' }).click()
  await shoot(page, 'upload')
  await page.keyboard.press('Escape')
  await payments(page, shoot)
}

async function configurers(page: Page, shoot: Shoot): Promise<void> {
  for (const tab of ['review', 'house', 'channels', 'his', 'notices', 'texts', 'sms', 'staff', 'changes']) {
    await open(page, `/config?tab=${tab}`, '系统配置')
    await page.locator('section.card').first().waitFor()
    await shoot(page, `config-${tab}`)
  }
}

test.each(['wide', 'narrow'] as const)('the console, %s', async (size) => {
  const shoot = camera(`staff-${size}`)
  const entry = await browser.newPage({ viewport: size === 'wide' ? { width: 1440, height: 900 } : { width: 1024, height: 768 }, locale: 'zh-CN' })
  await entry.goto(`${app}/staff/`)
  await entry.getByLabel('账号').waitFor()
  await shoot(entry, 'login')
  await entry.getByLabel('账号').fill('finance@demo.hospay')
  await entry.getByLabel('密码').fill('wrong')
  await entry.getByRole('button', { name: '登录' }).click()
  await entry.getByRole('alert').waitFor()
  await shoot(entry, 'login-refused')
  await entry.close()
  for (const [name, walk] of [['reviewer2', reviewers], ['finance', clerks], ['config', configurers]] as const) {
    const { page, context } = await sit(browser, name, size)
    await walk(page, shoot)
    await context.close()
  }
  const { page, context } = await sit(browser, 'auditor', size)
  await open(page, '/audit', '审计日志')
  await page.getByRole('row').nth(1).waitFor()
  await shoot(page, 'audit')
  await context.close()
})

test('the overview in the dashboard', async () => {
  const shoot = camera('dashboard')
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 }, locale: 'zh-CN' })
  listen(page)
  await page.goto(`${app}/_/#/login`)
  await page.locator('input[type=email], input[name=identity], input').first().fill('it@demo.hospay')
  await page.locator('input[type=password]').fill(PASSWORD)
  await page.keyboard.press('Enter')
  await page.getByRole('link', { name: 'hospay' }).click()
  await page.getByText('任务运行').waitFor()
  await shoot(page, 'overview')
  await page.close()
})
