// What happens to the patient's own records, live.
import { onMounted, onUnmounted } from 'vue'
import { pb } from '@shared/api'

/**
 * watchRecords calls f whenever one of the patient's records has changed, when
 * the connection has come back, and when the page is looked at again: what was
 * missed meanwhile is simply read anew.
 */
export function watchRecords(collection: string, f: () => void, id = '*'): void {
  let stop: (() => Promise<void>)[] = []
  let gone = false
  let connects = 0
  const seen = () => { if (document.visibilityState === 'visible') f() }

  onMounted(async () => {
    document.addEventListener('visibilitychange', seen)
    window.addEventListener('online', f)
    try {
      const a = await pb.collection(collection).subscribe(id, () => f())
      const b = await pb.realtime.subscribe('PB_CONNECT', () => { if (connects++ > 0) f() })
      stop = [a, b]
      if (gone) leave()
    } catch {
      // without a live connection the page still reads when it is looked at
    }
  })
  function leave(): void {
    for (const s of stop) s().catch(() => {})
    stop = []
  }
  onUnmounted(() => {
    gone = true
    document.removeEventListener('visibilitychange', seen)
    window.removeEventListener('online', f)
    leave()
  })
}
