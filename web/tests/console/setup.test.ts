import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { binary, room, start, up } from '../house'
import { ALIPAY, HIS, judged, json, launch, listen, PORTAL, quiet, sim, until } from '../walk'

let browser: Browser
beforeAll(async () => { browser = await launch() })
afterAll(async () => { await browser.close() })

const shots = process.env.SHOTS

/** asked answers one question after the other until the one with a label. What is not given has its default. */
async function asked(page: Page, answers: Record<string, string>, last: string): Promise<void> {
  for (;;) {
    const label = page.locator('form.ask label')
    await label.or(page.getByText('各步都已做完')).first().waitFor()
    if (!(await label.count())) return
    const said = (await label.innerText()).replace('（可以不填）', '')
    if (said === last) return
    const field = page.locator('#answer')
    const answer = answers[said]
    const kind = await field.evaluate((e) => e.tagName + (e as HTMLInputElement).type)
    if (kind === 'SELECTselect-one') answer && await field.selectOption(answer)
    else if (kind === 'INPUTfile') answer && await field.setInputFiles(answer)
    else if (answer) await field.fill(answer)
    const before = await page.locator('.hospay-setup').innerText()
    await page.getByRole('button', { name: '下一步' }).click()
    await until(`the answer to ${said} is taken`, async () => (await page.locator('.hospay-setup').innerText()) !== before
      && !(await page.getByText('正在处理…').count()))
  }
}

/** fine: axe has nothing to say, nothing sticks out to the side, at both widths. */
async function fine(page: Page, where: string): Promise<void> {
  for (const size of [{ width: 1440, height: 900 }, { width: 1093, height: 614 }]) {
    await page.setViewportSize(size)
    const found = (await judged(page)).filter((v) => v.nodes.some((n) => n.html.includes('hospay') || n.target.join(' ').includes('hospay')))
    expect(found.map((v) => `${v.id}: ${v.nodes.map((n) => n.html.slice(0, 160)).join(' | ')}`), `axe at ${where}`).toEqual([])
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth), `${where} scrolls sideways`).toBeLessThanOrEqual(0)
    if (shots) await page.screenshot({ path: `${shots}/${where}-${size.width}.png` })
  }
}

test('TestSetup_OnThePage_FromNothingToTheChecks', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'hospay-new-'))
  const base = await room()
  const [http, admin] = [`127.0.0.1:${base}`, `127.0.0.1:${base + 1}`]
  const file = join(dir, 'answers.json')
  writeFileSync(file, JSON.stringify({
    'place.env': 'demo', 'place.dir': join(dir, 'data'), 'place.http': http, 'place.admin': admin, 'place.proxy': 'none',
    'superuser.email': 'it@example-hospital.cn', 'superuser.password': 'a long password of IT',
  }))
  const settings = { HOSPAY_ENV_FILE: join(dir, 'hospay.env') }
  const made = spawnSync(binary, ['setup', '--page', '--answers', file], { encoding: 'utf8', env: { ...process.env, ...settings } })
  expect(made.status, made.stdout + made.stderr).toBe(0)
  const server = start(['serve'], settings)
  try {
    await up(`http://${admin}/api/health`, server.child, server.log)
    const page = await (await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: 'zh-CN' })).newPage()
    listen(page)
    await page.goto(`http://${admin}/_/#/login`)
    await page.locator('input[type=email], input[name=identity], input').first().fill('it@example-hospital.cn')
    await page.locator('input[type=password]').fill('a long password of IT')
    await page.keyboard.press('Enter')
    await page.getByRole('link', { name: 'hospay' }).click()
    await page.getByText('首次安装还没有做完').waitFor()
    await fine(page, 'overview-new')
    await page.getByRole('link', { name: '打开安装向导' }).click()
    await page.getByRole('heading', { level: 1, name: '首次安装' }).waitFor()
    await page.getByRole('button', { name: '开始安装' }).waitFor()
    await fine(page, 'setup-new')
    await page.getByRole('button', { name: '开始安装' }).click()

    await asked(page, {}, '医院名称')
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('answer')
    await page.keyboard.type('一')
    await page.keyboard.press('Enter')
    await page.getByText('✗ 至少 2 个字符').waitFor()
    expect(await page.locator('#answer').inputValue()).toBe('一') // what was typed stays
    const pem = await json<Record<string, string>>(sim(ALIPAY, '/_sim/config'))
    const house = await json<Record<string, string>>(sim(HIS, '/_sim/config'))
    const ill = await json<{ id_no: string; name: string }>(sim(PORTAL, '/_sim/ticket?patient=P0241&via=alipay'))
    const answers: Record<string, string> = {
      医院名称: '第一人民医院', 机构代码: 'first', 员工登录的第二因素: 'off',
      配置员的邮箱: 'a@example-hospital.cn', 配置员的姓名: '欧阳·娜仁', 配置员的身份证号: '110105198001019512',
      财务的邮箱: 'b@example-hospital.cn', 财务的姓名: 'Maria Sánchez', 财务的身份证号: '110105198001019520',
      审核员的邮箱: 'c@example-hospital.cn', 审核员的姓名: '司徒雪', 审核员的身份证号: '110105198001019539',
      现在配置支付宝吗: 'y', '商户 PID（2088 开头）': pem.pid!, '应用 AppID': pem.app_id!, 本院的外网地址: `http://${http}`,
      渠道接口地址: sim(ALIPAY, ''), 应用私钥: pem.app_private_key!, 应用公钥证书: pem.app_cert!, 支付宝公钥证书: pem.alipay_cert!, 支付宝根证书: pem.alipay_root_cert!,
      '现在对接 HIS 吗': 'y', 接口是哪一种: 'soap-gbk', 'HIS 接口地址': sim(HIS, ''), '用户名 user': house.soap_user!, '口令 password': 'wrong',
      测试患者的编号: 'P0241', 测试患者的证件号: ill.id_no, 测试患者的姓名: ill.name,
    }
    await asked(page, answers, '现在对接 HIS 吗')
    await fine(page, 'setup-asked')
    await page.getByRole('button', { name: '先离开' }).click()
    await page.getByRole('button', { name: '继续安装' }).waitFor()
    expect(await page.getByText('初始密码').count()).toBe(0) // shown once
    await page.getByRole('button', { name: '继续安装' }).click()
    await asked(page, answers, '映射')
    expect(await page.locator('#answer').inputValue()).toContain('{secret.password}') // the sample, to be changed here
    await asked(page, answers, '先按现在的内容保存，以后再改吗（否则重新填写）')
    await page.getByText('收到：').first().waitFor()
    await fine(page, 'setup-refused')
    answers['口令 password'] = house.soap_password!
    await asked(page, answers, '')
    await page.getByText('各步都已做完').waitFor()
    await fine(page, 'setup-done')
    await page.getByText('初始密码').last().waitFor()
    await page.getByRole('button', { name: '清除' }).click()
    await page.getByText('初始密码').last().waitFor({ state: 'hidden' })
    quiet(page)
    await page.getByRole('link', { name: 'hospay' }).click()
    await page.getByRole('region', { name: '第一人民医院' }).waitFor()
    expect(await page.getByText('首次安装还没有做完').count()).toBe(0)
  } finally {
    const gone = new Promise((r) => server.child.once('exit', r))
    server.child.kill('SIGTERM')
    await gone
    rmSync(dir, { recursive: true, force: true })
  }
})
