// How much waits where, kept live.
import { onMounted, onUnmounted, reactive } from 'vue'
import type { CountsView, TabCount } from '@shared/answers'
import { call, pb } from '@shared/api'
import { session } from './session'

export const tabs = ['reviewing', 'awaiting_payee', 'processing', 'exceptions', 'succeeded', 'rejected'] as const
export type Tab = (typeof tabs)[number]
export const tabNames: Record<Tab, string> = {
  reviewing: '待审核', awaiting_payee: '待确认收款', processing: '处理中', exceptions: '异常', succeeded: '已完成', rejected: '已驳回与未成功',
}

export const queue = reactive({} as Record<Tab, TabCount>)
export const counts = reactive({} as Record<string, number>)

let timer: ReturnType<typeof setTimeout> | undefined
const listeners = new Set<() => void>()

export async function loadCounts(): Promise<void> {
  const all = await call<CountsView>('GET', '/api/hospay/queue/counts').catch(() => null)
  if (!all) return // the page in front tells what is wrong
  const { payments, suspense, unknown, proxies, frozen, ...byTab } = all
  Object.assign(queue, byTab)
  Object.assign(counts, { reviewing: queue.reviewing?.count ?? 0, payments, suspense, unknown, proxies, frozen: Number(frozen) })
}

/** onChange calls f, at most once a second, when an order of the house has changed. */
export function onChange(f: () => void): void {
  onMounted(() => listeners.add(f))
  onUnmounted(() => listeners.delete(f))
}

function changed(): void {
  if (timer) return
  timer = setTimeout(() => {
    timer = undefined
    void loadCounts()
    for (const f of listeners) f()
  }, 1000)
}

/** watchCounts subscribes once for the whole console and reads anew after a reconnect. */
export function watchCounts(): void {
  let wanted = ''
  const keep = setInterval(async () => {
    const who = session.me && session.me.roles.some((r) => r !== 'config') ? session.me.id : ''
    if (who === wanted) return
    wanted = who
    try {
      await pb.realtime.unsubscribe()
      if (!who) return
      await pb.collection('refund_orders').subscribe('*', changed)
      await pb.collection('payment_orders').subscribe('*', changed)
      await pb.realtime.subscribe('PB_CONNECT', changed)
    } catch {
      wanted = '' // try again at the next turn
    }
  }, 1000)
  const seen = () => { if (document.visibilityState === 'visible' && session.me) changed() }
  onMounted(() => document.addEventListener('visibilitychange', seen))
  onUnmounted(() => {
    clearInterval(keep)
    document.removeEventListener('visibilitychange', seen)
  })
}
