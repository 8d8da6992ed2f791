// Pictures for people to look at, in the git-ignored folder shots/.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'

const root = fileURLToPath(new URL('../../../shots', import.meta.url))

/** still waits until nothing on the page is loading or moving. */
async function still(page: Page): Promise<void> {
  await page.waitForLoadState('networkidle').catch(() => {})
  await page.waitForFunction(() => !document.querySelector('[aria-busy="true"], .el-skeleton, .is-loading'), undefined, { timeout: 15_000 }).catch(() => {})
  await page.waitForTimeout(350)
}

export type Shoot = (page: Page, name: string) => Promise<void>

/** camera takes pictures of whole pages into one folder: the window grows to the page, so that what sticks to it stays in its place. */
export function camera(folder: string): Shoot {
  mkdirSync(join(root, folder), { recursive: true })
  let n = 0
  return async (page, name) => {
    await still(page)
    const size = page.viewportSize()!
    const height = await page.evaluate(() => {
      if (document.querySelector('.el-overlay:not([style*="display: none"]), dialog[open]')) return 0
      return Math.max(document.documentElement.scrollHeight, document.querySelector('.hospay-overview')?.scrollHeight ?? 0)
    })
    if (height > size.height) {
      await page.setViewportSize({ ...size, height: Math.min(height, 6000) })
      await page.waitForTimeout(200)
    }
    await page.screenshot({ path: join(root, folder, `${String(++n).padStart(2, '0')}-${name}.png`), animations: 'disabled', scale: 'css' })
    await page.setViewportSize(size)
  }
}
