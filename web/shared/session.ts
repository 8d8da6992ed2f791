// The session of whoever uses an entry (portal, staff, and any later one): who
// it is, how it begins, and how it ends.
import { reactive } from 'vue'
import { call, onSessionLost, pb } from './api'

/** Entered is what every way in answers. */
export interface Entered {
  token: string
  record: { id: string; collectionId?: string; collectionName?: string }
  /** who it is, where the way in tells it at once */
  meta?: { me?: unknown }
}

export interface Held<Me> {
  me: Me | null
  /** why the last session ended or the last way in failed; told where one comes in */
  note: string
}

export interface Sessions<Me> {
  session: Held<Me>
  known: () => boolean
  keep: (answer: Entered) => void
  leave: (note?: string) => void
  out: (note?: string) => Promise<void>
  whenLost: (f: () => void) => void
  loadMe: (again?: boolean) => Promise<Me>
}

/** openSessions holds the one session of an entry. path answers who it is; ended says that the server no longer knows it. */
export function openSessions<Me extends object>(path: string, ended: () => string): Sessions<Me> {
  const session = reactive({ me: null, note: '' }) as Held<Me>
  let asking: Promise<Me> | null = null
  let away: () => void = () => {}

  /** known: there is a session that has not run out, as far as this browser can tell. */
  function known(): boolean {
    return pb.authStore.isValid
  }

  /** keep begins a session. The record itself is not stored: masked or not, it is nobody's in this browser. */
  function keep({ token, record: { id, collectionId, collectionName }, meta }: Entered): void {
    asking = null
    Object.assign(session, { me: meta?.me ?? null, note: '' })
    pb.authStore.save(token, { id, collectionId, collectionName } as never)
  }

  /** leave forgets the session. What a person has begun (drafts) stays: it belongs to whoever comes back. */
  function leave(note = ''): void {
    asking = null
    pb.authStore.clear()
    Object.assign(session, { me: null, note })
  }

  /** out leaves and ends the session at the server, so that its token is worth nothing. Without an answer it ends by its own time. */
  async function out(note = ''): Promise<void> {
    const token = pb.authStore.token
    leave(note)
    if (token) await pb.send('/api/hospay/auth/logout', { method: 'POST', headers: { Authorization: token } }).catch(() => {})
  }

  /** loadMe reads the person's own data, once, or again. An answer that comes after the session ended is nobody's. */
  async function loadMe(again = false): Promise<Me> {
    if (session.me && !again) return session.me
    if (again) asking = null
    asking ??= call<Me>('GET', path)
    const mine = asking
    try {
      const me = await mine
      if (mine === asking) session.me = me
      return me
    } finally {
      if (mine === asking) asking = null
    }
  }

  onSessionLost((why) => {
    if (!pb.authStore.token && !session.me) return // an answer to somebody who has left by themselves
    leave(why || ended())
    away()
  })

  /** whenLost says what to do when a session ends in the middle. */
  const whenLost = (f: () => void) => { away = f }

  return { session, known, keep, leave, out, whenLost, loadMe }
}

/** localRoute accepts only routes of this page, so that nobody is sent elsewhere. */
export function localRoute(back: string): string {
  return /^\/(?![/\\])[^\\\s<>]*$/.test(back) ? back : '/'
}
