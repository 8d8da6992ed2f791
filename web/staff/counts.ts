// How much waits where, kept live.
import type { RecordModel, RecordSubscription } from 'pocketbase'
import { onActivated, onDeactivated, onMounted, onUnmounted, reactive } from 'vue'
import type { CountsView, TabCount, TodoItem, TodoView } from '@shared/answers'
import { call, pb } from '@shared/api'
import { byItself } from '@shared/useTask'
import { session } from './session'

export const tabs = ['reviewing', 'awaiting_payee', 'processing', 'exceptions', 'succeeded', 'rejected'] as const
export type Tab = (typeof tabs)[number]
export const tabNames: Record<Tab, string> = {
  reviewing: '待审核', awaiting_payee: '待患者确认', processing: '处理中', exceptions: '异常', succeeded: '已完成', rejected: '已驳回与未成功',
}

export const queue = reactive({} as Record<Tab, TabCount>)
export const counts = reactive({} as Record<string, number>)

export async function loadCounts(): Promise<void> {
  const all = await call<CountsView>('GET', '/api/hospay/queue/counts').catch(() => null)
  if (!all) return // the page in front tells what is wrong
  const { payments, suspense, unknown, proxies, frozen, ...byTab } = all
  Object.assign(queue, byTab)
  Object.assign(counts, { reviewing: queue.reviewing?.count ?? 0, payments, suspense, unknown, proxies, frozen: Number(frozen) })
}

/** todo is what waits for whoever is logged in. */
export const todo = reactive({ items: [] as TodoItem[] })

/** loadTodo reads it, and the badges that only it knows. */
export async function loadTodo(): Promise<void> {
  todo.items = (await call<TodoView>('GET', '/api/hospay/staff/todo')).items
  const of = (...kinds: string[]) => todo.items.filter((i) => kinds.includes(i.kind)).reduce((n, i) => n + i.count, 0)
  Object.assign(counts, { todo: of(...todo.items.map((i) => i.kind)), changes: of('changes'), reveals: of('reveals'), recon: of('proposed', 'months') })
}

/** Told is a record that has changed. shown: more than the times of asking; a reconnect tells of everything, with no id. */
export interface Told { collection: string; id: string; status: string; shown: boolean }
type Listener = (told: readonly Told[]) => void

const listeners = new Set<Listener>()

/**
 * onChange calls f, at most once a second, when something has changed that the page
 * wants; and when the page is come back to.
 */
export function onChange(f: () => unknown, wants: (t: Told) => boolean = (t) => t.shown): void {
  let left = false
  const hear: Listener = (told) => { if (told.some((t) => !t.id || wants(t))) byItself(f) }
  onMounted(() => listeners.add(hear))
  onActivated(() => {
    listeners.add(hear)
    if (left) byItself(f)
    left = false
  })
  onDeactivated(() => {
    listeners.delete(hear)
    left = true
  })
  onUnmounted(() => listeners.delete(hear))
}

const everything: Told = { collection: '', id: '', status: '', shown: true }
let timer: ReturnType<typeof setTimeout> | undefined
let told = new Map<string, Told>()

/** tell collects what has changed; a page that nobody sees is not read. */
function tell(t: Told): void {
  const key = t.collection + t.id
  told.set(key, { ...t, shown: t.shown || !!told.get(key)?.shown })
  if (timer || document.visibilityState !== 'visible') return
  timer = setTimeout(() => {
    const all = [...told.values()]
    timer = undefined
    told = new Map()
    if (all.some((x) => x.shown)) {
      void loadCounts()
      void loadTodo().catch(() => {}) // the page in front tells what is wrong
    }
    for (const f of listeners) f(all)
  }, 1000)
}

const faces = new Map<string, string>()

/** changed: the program writes an order also when it has only asked again; that changes nothing that lists show. */
function changed({ record }: RecordSubscription<RecordModel>): void {
  const { id, collectionName: collection, updated, ...rest } = record
  const face = JSON.stringify(rest)
  if (faces.size > 5000) faces.clear()
  const shown = faces.get(id) !== face
  faces.set(id, face)
  tell({ collection, id, status: String(record.status ?? ''), shown })
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
      await Promise.all(['refund_orders', 'payment_orders', 'proxy_applications'].map((c) => pb.collection(c).subscribe('*', changed)))
      await pb.realtime.subscribe('PB_CONNECT', () => tell(everything))
      tell(everything) // what has changed between the first reading and now
    } catch {
      wanted = '' // try again at the next turn
    }
  }, 1000)
  const seen = () => { if (document.visibilityState === 'visible' && session.me) tell(everything) }
  onMounted(() => document.addEventListener('visibilitychange', seen))
  onUnmounted(() => {
    clearInterval(keep)
    document.removeEventListener('visibilitychange', seen)
  })
}
