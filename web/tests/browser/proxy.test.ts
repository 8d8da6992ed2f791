// 亲友代办 from the first photo to the payment.
import { deflateSync } from 'node:zlib'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { approveProxy, accessible, app, fits, json, launch, orders, person, quiet, reload, review, sim, staff, until, visit, WECHAT } from '../walk'

let browser: Browser
beforeAll(async () => { browser = await launch() })
afterAll(async () => { await browser.close() })

/** photo draws a picture of the size of a phone's, in the browser itself, as JPEG. */
async function photo(page: Page, width: number, height: number, noise: boolean): Promise<Buffer> {
  const data = await page.evaluate(async ([w, h, noisy]) => {
    const c = document.createElement('canvas')
    Object.assign(c, { width: w, height: h })
    const pen = c.getContext('2d')!
    pen.fillStyle = '#e8eef5'
    pen.fillRect(0, 0, w, h)
    if (noisy) {
      const image = pen.getImageData(0, 0, w, h)
      for (let i = 0, r = 1; i < image.data.length; i += 4) {
        r = (r * 1103515245 + 12345) & 0x7fffffff
        image.data[i] = r & 255
        image.data[i + 1] = (r >> 8) & 255
        image.data[i + 2] = (r >> 16) & 255
      }
      pen.putImageData(image, 0, 0)
    }
    pen.fillStyle = '#123'
    pen.font = `${h / 8}px sans-serif`
    pen.fillText('居民身份证（样张）', w / 10, h / 2)
    const blob = await new Promise<Blob | null>((done) => c.toBlob(done, 'image/jpeg', 0.9))
    const bytes = new Uint8Array(await blob!.arrayBuffer())
    let text = ''
    for (let i = 0; i < bytes.length; i += 0x8000) text += String.fromCharCode(...bytes.subarray(i, i + 0x8000))
    return btoa(text)
  }, [width, height, noise] as const)
  return Buffer.from(data, 'base64')
}

/** hugePNG is a real PNG of 50,000 × 50,000 white dots in a few megabytes. */
function hugePNG(side: number): Buffer {
  const table = Array.from({ length: 256 }, (_, n) => { let c = n; for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1; return c >>> 0 })
  const crc = (b: Buffer) => { let c = 0xffffffff; for (const x of b) c = (table[(c ^ x) & 255] ?? 0) ^ (c >>> 8); return (c ^ 0xffffffff) >>> 0 }
  const chunk = (type: string, data: Buffer) => {
    const head = Buffer.alloc(8)
    head.writeUInt32BE(data.length)
    head.write(type, 4)
    const tail = Buffer.alloc(4)
    tail.writeUInt32BE(crc(Buffer.concat([head.subarray(4), data])))
    return Buffer.concat([head, data, tail])
  }
  const head = Buffer.alloc(13)
  head.writeUInt32BE(side)
  head.writeUInt32BE(side, 4)
  head[8] = 1
  const rows = deflateSync(Buffer.alloc(Math.min((side / 8 + 1) * side, 64 << 20)))
  return Buffer.concat([Buffer.from([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10]), chunk('IHDR', head), chunk('IDAT', rows), chunk('IEND', Buffer.alloc(0))])
}

async function start(page: Page, principal: { name: string; id_no: string; cards: string[] }, kind: string, relation: string): Promise<void> {
  await page.getByRole('link', { name: '亲友代办' }).click()
  await page.getByText('还没有代办申请').waitFor()
  await accessible(page, 'proxies')
  await page.getByRole('link', { name: '新的代办申请' }).or(page.getByRole('button', { name: '新的代办申请' })).first().click()
  await page.getByLabel('被代办人姓名').waitFor()
  await page.getByRole('button', { name: '查询并继续' }).click()
  await page.getByText('请填写被代办人姓名').waitFor()
  await accessible(page, 'new proxy with errors')
  await page.getByLabel('被代办人姓名').fill(principal.name)
  await page.getByLabel('被代办人证件号码').fill(principal.id_no.slice(0, 17) + (principal.id_no.endsWith('1') ? '2' : '1'))
  await page.getByLabel('被代办人证件号码').blur()
  await page.getByText('身份证号不正确').waitFor()
  await page.getByLabel('被代办人证件号码').fill(principal.id_no)
  await page.getByLabel('被代办人就诊卡号').fill(principal.cards[0]!)
  await page.getByRole('radio', { name: kind }).check()
  await page.getByLabel('您是被代办人的').selectOption({ label: relation })
  await page.getByLabel('我已阅读并同意').check()
  await page.getByRole('button', { name: '查询并继续' }).click()
  await page.getByRole('heading', { level: 1, name: '代办详情' }).waitFor()
}

async function give(page: Page, kind: string, file: { name: string; mimeType: string; buffer: Buffer }): Promise<void> {
  await page.getByLabel(new RegExp(`^${kind.replace(/[（）]/g, '.')}：`)).setInputFiles(file)
}

async function giveAll(page: Page): Promise<void> {
  const buffer = await photo(page, 1200, 800, false)
  await page.locator('.photo').first().waitFor() // the list of photos is there
  for (let i = 0; i < 12; i++) {
    const missing = page.locator('.photo', { hasText: '未上传' }).filter({ hasNotText: '可不传' })
    if (await missing.count() === 0) break
    const before = await missing.count()
    await missing.first().locator('input[type=file]').setInputFiles({ name: 'IMG_0001.jpg', mimeType: 'image/jpeg', buffer })
    await expect.poll(() => missing.count()).toBe(before - 1)
  }
}

test('TestProxyWalk_ElderlyFromPhotosToPayment', async () => {
  const principal = await person('P0003', 'wechat')
  const { page, context } = await visit(browser, 'P0011', 'wechat')
  await start(page, principal, '老年人', '子女')
  await page.getByText('可退余额').waitFor() // A38: account and balance
  await page.getByText('您正在为').waitFor()
  await accessible(page, 'proxy draft')
  await fits(page, 'proxy draft')
  expect(await page.getByRole('button', { name: '提交审核' }).isDisabled()).toBe(true)
  const id = page.url().split('/').at(-1)!

  // The upload breaks once; the shrunk picture is kept and sent again.
  let broken = 0
  await page.route('**/api/collections/proxy_materials/records', (route) => (broken++ === 0 ? route.abort('connectionreset') : route.continue()))
  await give(page, '代办人身份证人像面', { name: 'a.jpg', mimeType: 'image/jpeg', buffer: await photo(page, 4000, 3000, true) })
  await page.getByText('网络不通').waitFor()
  await page.getByRole('button', { name: '重新发送' }).click()
  await expect.poll(() => page.locator('.photo', { hasText: '代办人身份证人像面' }).first().locator('img').count()).toBe(1)

  // A reload in the middle loses nothing that was sent.
  await reload(page)
  await page.getByRole('heading', { level: 1, name: '代办详情' }).waitFor()
  await expect.poll(() => page.locator('.photo img').count()).toBe(1)

  // What is no picture, and what is far too large, is refused with a sentence.
  await give(page, '代办人身份证国徽面', { name: 'b.jpg', mimeType: 'image/jpeg', buffer: Buffer.from('<html><script>alert(1)</script></html>') })
  await page.getByText('图片无法识别').waitFor()
  await give(page, '代办人身份证国徽面', { name: 'c.png', mimeType: 'image/png', buffer: hugePNG(50_000) })
  await page.getByText('图片太大').waitFor()
  await accessible(page, 'proxy with a refused photo')

  await giveAll(page)
  await page.getByRole('button', { name: '提交审核' }).click()
  await page.getByText('待审核').first().waitFor()
  await approveProxy(id)
  await page.getByText('审核通过').first().waitFor() // by itself
  await accessible(page, 'proxy approved')

  await page.getByRole('button', { name: /申请退款/ }).click()
  await page.getByLabel('我已阅读并同意退款须知').check()
  await page.getByRole('button', { name: '下一步' }).click()
  await page.getByText(`${principal.cards[0]}`).waitFor()
  await page.getByText('您正在为').waitFor()
  await page.getByRole('button', { name: '下一步' }).click() // all of it: what has a payment goes back to it, the rest is transferred
  await page.getByRole('heading', { level: 1, name: '退款渠道' }).waitFor()
  await page.getByRole('button', { name: '下一步' }).waitFor()
  const wechat = page.getByRole('radio', { name: /微信/ })
  if (await wechat.isVisible()) await wechat.check()
  await page.waitForTimeout(300)
  await page.getByRole('button', { name: '下一步' }).click()
  await page.getByRole('heading', { level: 1, name: '收款信息' }).waitFor()
  await page.getByText('您正在为').waitFor()
  const agent = await person('P0011', 'wechat')
  expect(agent.name[0]).not.toBe(principal.name[0])
  expect(await page.locator('.lead').innerText()).toContain(agent.name[0]) // one name is asked for: the transfer's payee
  await page.getByLabel('收款人姓名').fill(agent.name)
  await page.getByLabel('通知手机号').fill(`+86 ${agent.phone.slice(0, 3)}-${agent.phone.slice(3)}`)
  const account = page.getByRole('textbox', { name: '支付宝账号' })
  if (await account.isVisible()) await account.fill(agent.alipay_account)
  await page.getByRole('button', { name: '下一步' }).click()
  await page.getByRole('heading', { level: 1, name: '核对并提交' }).waitFor()
  await page.getByRole('button', { name: '确认提交' }).click()
  await page.getByRole('heading', { level: 1, name: '已提交，请留意进度' }).waitFor()
  await page.getByText('您正在为').waitFor() // also on the result
  const card = principal.cards[0]!
  await review(card, 'approve')
  const list = await until('paid or waiting', async () => {
    const all = await orders(card)
    return all.length > 0 && all.every((o) => ['awaiting_payee', 'succeeded'].includes(o.status)) && all
  })
  expect([...new Set(list.map((o) => o.method))].sort()).toEqual(['original', 'transfer'])
  for (const o of list) if (o.status === 'awaiting_payee') await json(sim(WECHAT, `/_sim/confirm/${o.no}T01`), { method: 'POST' })
  await until('all paid', async () => (await orders(card)).every((o) => o.status === 'succeeded'))
  await page.goto(`${app}/#/records?who=proxy`)
  await page.locator('.order-link', { hasText: '代办' }).first().waitFor()
  await page.locator('.tag', { hasText: '已到账' }).first().waitFor()
  await page.locator('.order-link').first().click()
  await page.getByText('您正在为').waitFor()

  // The principal, who logs in, sees nothing of it.
  const theirs = await visit(browser, 'P0003', 'wechat')
  await theirs.page.goto(`${app}/#/records`)
  await theirs.page.getByText('还没有退款记录').waitFor()
  await theirs.page.goto(`${app}/#/proxy/${id}`)
  await theirs.page.getByText('没有找到这条记录').waitFor()
  await theirs.context.close()
  quiet(page)
  await context.close()
})

test('TestProxyWalk_RejectionTellsReason_WrongDataIsOneAnswer', async () => {
  const child = await person('P0007', 'wechat')
  const { page, context } = await visit(browser, 'P0013', 'wechat')
  await page.goto(`${app}/#/proxy/new`)
  await page.getByLabel('被代办人姓名').fill('查无此人')
  await page.getByLabel('被代办人证件号码').fill(child.id_no)
  await page.getByLabel('被代办人就诊卡号').fill(child.cards[0]!)
  await page.getByRole('radio', { name: '老年人' }).check()
  await page.getByText('与').first().waitFor()
  await page.getByRole('radio', { name: '未成年人' }).check()
  await page.getByLabel('您是被代办人的').selectOption({ label: '父母' })
  await page.getByLabel('我已阅读并同意').check()
  await page.getByRole('button', { name: '查询并继续' }).click()
  await page.getByText('没有查到被代办人').waitFor()
  await reload(page) // the form is still there
  expect(await page.getByLabel('被代办人证件号码').inputValue()).toBe(child.id_no)
  await page.getByLabel('被代办人姓名').fill(child.name)
  await page.getByRole('button', { name: '查询并继续' }).click()
  await page.getByRole('heading', { level: 1, name: '代办详情' }).waitFor()
  const id = page.url().split('/').at(-1)!
  await giveAll(page)
  await page.getByRole('button', { name: '提交审核' }).click()
  await page.getByText('待审核').first().waitFor()
  await json(`${app}/api/hospay/proxies/${id}/review`, { token: await staff('reviewer1'), json: { decision: 'reject', note: '出生证明不清楚' } })
  await page.getByText('原因：出生证明不清楚').waitFor()
  expect(await page.getByRole('button', { name: /申请退款/ }).count()).toBe(0)
  await accessible(page, 'proxy rejected')
  await context.close()
})
