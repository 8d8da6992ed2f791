// Walks at a kiosk, upright and lying, through the real page, program and
// simulators: nobody there has a keyboard, and a scanner is one.
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { accessible, ALIPAY, app, fits, HIS, json, launch, listen, PORTAL, quiet, reload, sim, staff, until, WECHAT } from '../walk'

const UPRIGHT = { width: 1080, height: 1920 }
const LYING = { width: 1920, height: 1080 }
const SMALLEST = 64
const shots = process.env.KIOSK_SHOTS

let browser: Browser
let kiosk = ''
beforeAll(async () => {
  browser = await launch()
  const { items } = await json<{ items: { id: string }[] }>(`${app}/api/collections/kiosks/records`, { token: await staff('config') })
  kiosk = items[0]!.id
})
afterAll(async () => { await browser.close() })

const h1 = (page: Page, name: string) => page.getByRole('heading', { level: 1, name, exact: true }).waitFor()
const credential = (patient: string) => `424${patient.slice(1).padStart(25, '0')}`

async function bill(patient: string, amount: number, insurable: boolean): Promise<string> {
  return (await json<{ bill_no: string }>(sim(HIS, '/_sim/bills'), { json: { patient, kind: 'outpatient', amount, insurable } })).bill_no
}

/** settle looks at a screen: axe, sideways scrolling, the size of what is touched, and a picture. */
async function settled(page: Page, where: string): Promise<void> {
  await accessible(page, where)
  await fits(page, where)
  const small = await page.evaluate((least) => [...document.querySelectorAll('button')].map((b) => ({ text: b.textContent, r: b.getBoundingClientRect() }))
    .filter(({ r }) => r.width > 0 && (r.width < least || r.height < least)).map(({ text }) => text), SMALLEST)
  expect(small, `${where}: too small to touch`).toEqual([])
  if (shots) await page.screenshot({ path: `${shots}/${where}.png` })
}

/** enter opens the page on a device that nobody has entered, and enters it with the digits of the screen. */
async function enter(size: { width: number; height: number }, clock = false): Promise<Page> {
  const context = await browser.newContext({ viewport: size, hasTouch: true, locale: 'zh-CN', timezoneId: 'Asia/Shanghai' })
  const page = await context.newPage()
  listen(page)
  if (clock) await page.clock.install()
  await page.addInitScript(() => {
    const w = window as unknown as { printed: number }
    w.printed = 0
    window.print = () => { w.printed++ }
  })
  await page.goto(`${app}/kiosk/`)
  await h1(page, '登记本机')
  await settled(page, `enrol-${size.width}`)
  const { code } = await json<{ code: string }>(`${app}/api/hospay/kiosks/${kiosk}/code`, { token: await staff('config'), json: {} })
  for (const digit of code) await page.getByRole('button', { name: digit, exact: true }).tap()
  await page.getByRole('button', { name: '登记本机' }).tap()
  await h1(page, '请选择业务')
  await settled(page, `start-${size.width}`)
  return page
}

/** scan is what a scanner types. */
async function scan(page: Page, patient: string): Promise<void> {
  await h1(page, '请证明身份')
  await page.keyboard.type(credential(patient))
  await page.keyboard.press('Enter')
}

/** nobody: nothing of a person is on the page or in the browser. */
async function nobody(page: Page): Promise<void> {
  await h1(page, '请选择业务')
  const left = await page.evaluate(() => ({ keys: Object.keys(localStorage), session: Object.keys(sessionStorage), text: document.body.innerText }))
  expect(left.keys).toEqual(['hospay_kiosk_device'])
  expect(left.session).toEqual([])
  expect(left.text).not.toContain('*')
  expect(left.text).not.toContain('C00')
}

async function orderNo(page: Page): Promise<string> {
  return /P\d{6}[0-9A-Z]{10}/.exec(await page.getByText(/^订单号/).first().innerText())![0]
}

async function pays(channel: number, no: string): Promise<void> {
  await json(sim(channel, `/_sim/pay/${no}C01`), { json: {} })
}

const printed = (page: Page) => page.evaluate(() => (window as unknown as { printed: number }).printed)

describe('kiosk', () => {
  test('TestKiosk_PaysByCode_PowerCutInTheMiddle', async () => {
    const no = await bill('P0013', 4_711, false)
    const page = await enter(UPRIGHT)
    await page.getByRole('button', { name: /缴费/ }).tap()
    await settled(page, 'identify-upright')
    await page.keyboard.type('12345')
    await page.keyboard.press('Enter')
    await page.getByText('没有读到有效的医保码').waitFor()
    await scan(page, 'P0013')
    await h1(page, '待缴费用')
    const box = page.locator('section.box', { hasText: '¥47.11' })
    await box.waitFor()
    await settled(page, 'bills-upright')
    await box.getByRole('button', { name: '去缴费' }).tap()
    await h1(page, '选择缴费方式')
    await expect.poll(() => page.getByRole('button', { name: /医保 \+ 自费/ }).isDisabled()).toBe(true)
    await settled(page, 'ways-upright')
    await page.getByRole('button', { name: /微信扫码支付/ }).tap()
    await page.getByRole('img', { name: '微信支付二维码' }).waitFor()
    await settled(page, 'code-upright')
    const order = await orderNo(page)
    await reload(page) // the power is gone
    await nobody(page)
    await page.getByRole('button', { name: /缴费/ }).tap()
    await scan(page, 'P0013')
    await page.getByText('找到您没有办完的一笔缴费').waitFor()
    await page.getByRole('img', { name: '微信支付二维码' }).waitFor()
    expect(await orderNo(page)).toBe(order)
    await pays(WECHAT, order)
    await page.getByText('收据号').first().waitFor()
    await page.getByRole('button', { name: '补打凭条' }).waitFor()
    await expect.poll(() => printed(page)).toBe(1)
    await page.getByRole('button', { name: '补打凭条' }).tap()
    expect(await printed(page)).toBe(2)
    await settled(page, 'done-upright')
    await page.emulateMedia({ media: 'print' })
    expect(await page.locator('.slip').innerText()).toContain(order)
    expect(await page.locator('.top').isVisible()).toBe(false)
    if (shots) await page.screenshot({ path: `${shots}/slip.png` })
    await page.emulateMedia({ media: 'screen' })
    const { bills } = await json<{ bills: { bill_no: string; receipt: string }[] }>(sim(HIS, '/_sim/bills'))
    expect(bills.find((b) => b.bill_no === no)!.receipt).not.toBe('')
    await page.getByRole('button', { name: '完成' }).tap()
    await nobody(page)
    quiet(page)
    await page.context().close()
  })

  test('TestKiosk_RegistersWithInsurance', async () => {
    const page = await enter(LYING)
    await page.getByRole('button', { name: /挂号/ }).tap()
    await scan(page, 'P0003')
    await h1(page, '选择科室')
    await page.locator('.tiles button').first().waitFor()
    await settled(page, 'departments-lying')
    await page.locator('.tiles button').first().tap()
    await h1(page, '选择医生和时间')
    await page.getByRole('group', { name: '日期' }).getByRole('button').nth(1).tap()
    const free = page.locator('section.box .tiles button:enabled').first()
    await free.waitFor()
    await settled(page, 'slots-lying')
    await free.tap()
    await h1(page, '选择缴费方式')
    await page.getByText(/号源为您保留 \d+:\d\d/).waitFor()
    await settled(page, 'ways-lying')
    await page.getByRole('button', { name: /医保 \+ 自费/ }).tap()
    await h1(page, '医保信息')
    await page.getByRole('heading', { name: '就诊类型' }).waitFor()
    await page.getByRole('button', { name: /门诊挂号/ }).first().tap()
    await settled(page, 'insurance-lying')
    await page.getByRole('button', { name: '自费部分用支付宝' }).tap()
    await page.getByText('请核对金额').waitFor()
    await page.getByText('医保基金支付').first().waitFor()
    await settled(page, 'split-lying')
    await page.getByRole('button', { name: '确认，用医保结算' }).tap()
    await page.getByRole('img', { name: '支付宝支付二维码' }).waitFor()
    await settled(page, 'code-lying')
    await pays(ALIPAY, await orderNo(page))
    await page.getByRole('button', { name: '补打凭条' }).waitFor()
    await settled(page, 'done-lying')
    quiet(page)
    await page.context().close()
  })

  test('TestKiosk_ReadersAndTheirCancelling', async () => {
    const page = await enter(UPRIGHT)
    const show = (query: string) => fetch(sim(PORTAL, `/kiosk/show?${query}`))
    await page.getByRole('button', { name: /缴费/ }).tap()
    await page.getByRole('button', { name: '身份证' }).tap()
    await page.getByText('请把身份证放在读卡区').waitFor()
    await settled(page, 'reading-upright')
    await show('what=id_card&cancel=1')
    await page.getByText('读卡已取消').waitFor()
    await page.getByRole('button', { name: '身份证' }).tap()
    await page.getByRole('button', { name: '取消读卡' }).tap()
    await page.getByRole('button', { name: '社保卡' }).tap()
    await show('patient=P0006&what=social_card')
    await h1(page, '待缴费用')
    await page.getByRole('button', { name: '退出' }).tap()
    await nobody(page)
    await page.getByRole('button', { name: /缴费/ }).tap()
    await h1(page, '请证明身份')
    await show('patient=P0006&what=credential') // a scanner behind the readers' service
    await h1(page, '待缴费用')
    quiet(page)
    await page.context().close()
  })

  test('TestKiosk_IdleErasesThePerson', async () => {
    const page = await enter(LYING, true)
    await page.getByRole('button', { name: /缴费/ }).tap()
    await scan(page, 'P0005')
    await h1(page, '待缴费用')
    await page.clock.fastForward(78_000)
    await page.getByRole('alertdialog').waitFor()
    await settled(page, 'idle-lying')
    await page.getByRole('button', { name: '继续办理' }).tap()
    await expect.poll(() => page.getByRole('alertdialog').count()).toBe(0)
    const gone = page.waitForResponse((r) => r.url().endsWith('/api/hospay/kiosk/person') && r.request().method() === 'DELETE')
    await page.clock.fastForward(95_000)
    await page.getByText('长时间无人操作，已返回首页').waitFor()
    await gone
    await nobody(page)
    quiet(page)
    await page.context().close()
  })

  test('TestKiosk_NetworkLostAndWithdrawn', async () => {
    const page = await enter(UPRIGHT)
    await page.context().setOffline(true)
    await page.getByRole('button', { name: /缴费/ }).tap()
    await scan(page, 'P0006')
    await page.getByText('网络中断').waitFor()
    await page.context().setOffline(false)
    await scan(page, 'P0006')
    await h1(page, '待缴费用')
    const config = await staff('config')
    await json(`${app}/api/hospay/kiosks/${kiosk}/withdraw`, { token: config, json: {} })
    await page.getByRole('button', { name: '退出' }).tap()
    await h1(page, '登记本机')
    await page.getByText('本机没有登记，或已经停用').waitFor()
    await settled(page, 'withdrawn-upright')
    const code = await fetch(`${app}/api/hospay/kiosks/${kiosk}/code`, { method: 'POST', headers: { Authorization: config } })
    expect(code.status).toBe(404)
    await until('the audit log to hold it', async () => {
      const { items } = await json<{ items: { action: string }[] }>(`${app}/api/hospay/audit?action=kiosk.withdrawn`, { token: await staff('auditor') })
      return items.length > 0
    })
    await page.context().close()
  })
})
