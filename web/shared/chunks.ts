// Parts of the pages that come when they are needed, and what is said when one
// does not come: the way may be bad for a moment, or the program was upgraded and
// the part is gone.
import { reactive } from 'vue'
import type { RouteRecordRaw, Router } from 'vue-router'

type Load = () => Promise<unknown>

/** fresh is told by the component Fresh: newer, that another version is there; stuck, the route whose part did not come. */
export const fresh = reactive({ newer: false, stuck: '' })

/** lazily lets every route ask a second time for a part that did not come. */
export function lazily(routes: RouteRecordRaw[]): RouteRecordRaw[] {
  return routes.map((r) => (typeof r.component === 'function' ? { ...r, component: twice(r.component as Load) } : r) as RouteRecordRaw)
}

const RETRY = 700

/** twice asks once more, under a name of its own: some browsers remember that a name has failed. */
export function twice(load: Load): Load {
  return async () => {
    try {
      return await load()
    } catch (err) {
      await new Promise((r) => setTimeout(r, RETRY))
      const [address] = /https?:\/\/\S+\.js/.exec(String(err)) ?? []
      return address ? import(/* @vite-ignore */ `${address}?again=${Date.now()}`) : load()
    }
  }
}

/** watchChunks says so when a route does not open, and fetches the next of some steps while nothing else happens. */
export function watchChunks(router: Router, steps: readonly string[] = []): void {
  router.onError((_err, to) => {
    fresh.stuck = to.fullPath
    void look()
  })
  router.afterEach((to) => {
    fresh.stuck = ''
    const next = steps[steps.indexOf(to.path) + 1]
    const component = next && steps.includes(to.path) ? router.resolve(next).matched[0]?.components?.default : undefined
    if (typeof component === 'function') whenIdle([component as Load])
  })
}

/** whenIdle fetches parts one after the other while the browser has nothing to do. What does not come is asked for when it is needed. */
export function whenIdle(loads: readonly Load[]): void {
  const [first, ...rest] = loads
  if (!first) return
  const idle = (f: () => void) => ('requestIdleCallback' in window ? requestIdleCallback(f, { timeout: 10_000 }) : setTimeout(f, 2000))
  idle(() => void first().catch(() => {}).then(() => whenIdle(rest)))
}

/** look asks whether the program is another one by now. The name of a page's first part carries a hash of its content. */
export async function look(): Promise<void> {
  const mine = document.querySelector<HTMLScriptElement>('script[type="module"][src*="/assets/"]')
  if (!mine) return
  const page = await fetch(location.pathname, { cache: 'no-cache' }).then((r) => (r.ok ? r.text() : ''), () => '')
  if (page.includes('/assets/')) fresh.newer = !page.includes(new URL(mine.src).pathname)
}
