// Native pages of the hospital's mini program, over the pages in its web-view.
import { loadSdk } from './sdk'

async function program() {
  await loadSdk().catch(() => {})
  return window.wx?.miniProgram
}

/** openNative opens a native page over this one; it comes back here when it is done. */
export async function openNative(page: 'confirm' | 'pay' | 'authorise', args: Record<string, string>): Promise<'shown' | 'failed'> {
  const mini = await program()
  if (!mini) return 'failed'
  const url = `/pages/${page}/${page}?${Object.entries(args).map(([k, v]) => `${k}=${encodeURIComponent(v)}`).join('&')}`
  return new Promise((done) => {
    mini.navigateTo({ url, success: () => done('shown'), fail: () => done('failed') })
    setTimeout(() => done('shown'), 5000) // told nothing, it may stand open: the server is asked
  })
}

/** comeAnew begins the mini program again, which logs in and opens these pages with a new code. It ends only where that did not happen. */
export async function comeAnew(): Promise<void> {
  const mini = await program()
  mini?.reLaunch({ url: '/pages/index/index' })
  if (mini) await new Promise((done) => setTimeout(done, 5000))
}
