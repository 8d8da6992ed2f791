// How long a patient waits on a bad network: Chromium as its tools emulate slow 3G
// (400 kbit/s, 2 s to every answer) with a processor six times slower. It measures
// and asserts nothing: node scripts/slow.mjs http://127.0.0.1:8090 http://127.0.0.1:9105
import { chromium } from 'playwright-core'

const [app = 'http://127.0.0.1:8090', portal = 'http://127.0.0.1:9105', latency = '2000'] = process.argv.slice(2)
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu', '--lang=zh-CN'] })
const context = await browser.newContext({ viewport: { width: 375, height: 812 }, isMobile: true, hasTouch: true, locale: 'zh-CN' })
const page = await context.newPage()
const devtools = await context.newCDPSession(page)
await devtools.send('Network.enable')
await devtools.send('Network.emulateNetworkConditions', { offline: false, latency: Number(latency), downloadThroughput: 50_000, uploadThroughput: 50_000 })
await devtools.send('Emulation.setCPUThrottlingRate', { rate: 6 })
const { ticket } = await (await fetch(`${portal}/_sim/ticket?patient=P0002&via=wechat`)).json()

let begun = performance.now()
function took(what) {
  console.log(`${what}: ${((performance.now() - begun) / 1000).toFixed(1)} s`)
  begun = performance.now()
}

await page.goto(`${app}/?ticket=${encodeURIComponent(ticket)}`, { waitUntil: 'commit' })
await page.getByText('您好').waitFor({ timeout: 60_000 })
took('greeting')
await page.waitForTimeout(15_000) // a person reads; what comes next is fetched meanwhile
const no = page.getByRole('button', { name: '用标准版' })
if (await no.isVisible()) await no.click()
begun = performance.now()
await page.getByRole('button', { name: '申请退款' }).click()
await page.getByLabel('我已阅读并同意退款须知').waitFor({ timeout: 60_000 })
took('notice')
await page.getByLabel('我已阅读并同意退款须知').check()
await page.waitForTimeout(8000)
for (const [title, ready] of [
  ['选择就诊卡', () => page.getByRole('radio').first()], ['退款渠道', () => page.getByRole('button', { name: '下一步' })],
  ['收款信息', () => page.getByLabel('收款人姓名')],
]) {
  begun = performance.now()
  await page.getByRole('button', { name: '下一步' }).click()
  await page.getByRole('heading', { level: 1, name: title }).waitFor({ timeout: 60_000 })
  const shown = ((performance.now() - begun) / 1000).toFixed(1)
  await ready().waitFor({ timeout: 60_000 })
  took(`${title} (its heading after ${shown} s)`)
  await page.waitForTimeout(8000)
}
await browser.close()
