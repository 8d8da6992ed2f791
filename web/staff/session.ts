// Who works at the console. The server decides what each role may do; the pages
// only leave out what would be refused.
import { reactive } from 'vue'
import { call, guarded, onSessionLost, pb } from '@shared/api'

export type Role = 'reviewer' | 'finance' | 'cashier' | 'auditor' | 'config'

export interface Me {
  id: string
  name: string
  email: string
  roles: Role[]
  institution: { id: string; name: string }
  second_factor: { policy: 'off' | 'totp'; enrolled: boolean; recovery_left: number }
  idle_minutes: number
}

export const session = reactive({ me: null as Me | null, note: '' })

export function known(): boolean {
  return pb.authStore.isValid
}

export function may(...roles: Role[]): boolean {
  return roles.some((r) => session.me?.roles.includes(r))
}

export function leave(note = ''): void {
  pb.authStore.clear()
  session.me = null
  session.note = note
}

let away: () => void = () => {}
export function whenLost(f: () => void): void {
  away = f
}
onSessionLost(() => {
  if (!known() && !session.me) return // an answer to somebody who has left by themselves
  leave('登录已过期，请重新登录。')
  away()
})

export async function loadMe(again = false): Promise<Me> {
  if (!session.me || again) session.me = await call<Me>('GET', '/api/hospay/staff/me')
  return session.me
}

/** refresh keeps a session alive while somebody works. */
export async function refresh(): Promise<void> {
  await guarded(() => pb.collection('staff').authRefresh())
}

const names = reactive({} as Record<string, string>)

/** nameOf is the name of a staff member by id, once it is known. */
export function nameOf(id: string | undefined): string {
  return id ? (names[id] ?? '') : ''
}

/** loadNames reads who works in the house. */
export async function loadNames(): Promise<void> {
  try {
    Object.assign(names, (await call<{ names: Record<string, string> }>('GET', '/api/hospay/staff/names')).names)
  } catch {
    // ids stay without names
  }
}
