// What a page does: it reads, and it acts. Both end where people see it, either
// as the page's new content or as a sentence.
import { computed, reactive, ref, type ComputedRef } from 'vue'
import { failure, type Failure } from './api'

/** Tell turns a failure into what the page says about it; null says nothing. */
export type Tell = (what: Failure, name: string) => Failure | null

export interface Task {
  /** the failure to be told, that of an action before that of a reading */
  trouble: ComputedRef<Failure | null>
  /** whether a reading runs */
  reading: ComputedRef<boolean>
  /** whether the named action runs; without a name, whether any does */
  running: (name?: string) => boolean
  read: (f: (latest: () => boolean) => Promise<unknown>) => Promise<boolean>
  run: (name: string, f: () => Promise<unknown>, again?: () => Promise<unknown>) => Promise<boolean>
  /** clear takes back what was told */
  clear: () => void
}

let unasked = false

/**
 * byItself lets f begin readings that nobody asked for, because something has
 * changed elsewhere: they show no spinner, and take back nothing that an action told.
 */
export function byItself(f: () => unknown): void {
  unasked = true
  try {
    f()
  } finally {
    unasked = false
  }
}

/** useTask holds what runs on a page, or in one of its dialogs, and what went wrong there. */
export function useTask(tell: Tell = (what) => what): Task {
  const unread = ref<Failure | null>(null)
  const undone = ref<Failure | null>(null)
  const running = reactive(new Set<string>())
  const readings = ref(0)
  let asked = 0

  /**
   * read reads what the page shows. Done, it takes back what had been told when
   * it began, unless it came by itself. Only the latest reading counts: f leaves
   * the page alone when latest() is false.
   */
  async function read(f: (latest: () => boolean) => Promise<unknown>): Promise<boolean> {
    const mine = ++asked
    const latest = () => mine === asked
    const quiet = unasked
    const told = undone.value
    if (!quiet) readings.value++
    try {
      await f(latest)
      if (latest()) unread.value = null
      if (!quiet && latest() && undone.value === told) undone.value = null
      return true
    } catch (err) {
      if (latest()) unread.value = tell(failure(err), 'read')
      return false
    } finally {
      if (!quiet) readings.value--
    }
  }

  /**
   * run does what somebody asked for, once however often it is tapped. again
   * reads the page anew, also after a refusal, for somebody may have been
   * faster; what was refused stays told.
   */
  async function run(name: string, f: () => Promise<unknown>, again?: () => Promise<unknown>): Promise<boolean> {
    if (running.has(name)) return false
    running.add(name)
    undone.value = null
    let said: Failure | null = null
    let done = true
    try {
      await f()
    } catch (err) {
      done = false
      said = tell(failure(err), name)
      if (said) said.asked = true
    }
    try {
      await again?.()
    } finally {
      if (!done) undone.value = said
      running.delete(name)
    }
    return done
  }

  function clear(): void {
    unread.value = undone.value = null
  }

  return {
    trouble: computed(() => undone.value ?? unread.value),
    reading: computed(() => readings.value > 0),
    running: (name) => (name === undefined ? running.size > 0 : running.has(name)),
    read, run, clear,
  }
}
