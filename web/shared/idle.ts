// Nobody at the screen for as long as the institution allows: the session ends
// here, too, not only on the server.
import { onMounted, onUnmounted } from 'vue'

const LOOK = 15_000

export interface Idle {
  /** how many minutes without a touch are allowed; zero while nobody is logged in */
  minutes: () => number
  /** called once when they have passed */
  gone: () => void
  /** called now and then while somebody works, to keep the session alive */
  working: () => void
}

/** watchIdle watches pointer and keys for as long as the component lives. */
export function watchIdle({ minutes, gone, working }: Idle): void {
  let last = Date.now()
  let renewed = last
  let timer: ReturnType<typeof setInterval> | undefined
  const touched = () => { last = Date.now() }

  function look(): void {
    const limit = minutes() * 60_000
    const now = Date.now()
    if (limit <= 0) return
    if (now - last > limit) {
      gone()
    } else if (now - renewed > limit / 3) {
      renewed = now
      working()
    }
  }

  onMounted(() => {
    for (const e of ['pointerdown', 'keydown']) window.addEventListener(e, touched)
    timer = setInterval(look, LOOK)
  })
  onUnmounted(() => {
    for (const e of ['pointerdown', 'keydown']) window.removeEventListener(e, touched)
    clearInterval(timer)
  })
}
