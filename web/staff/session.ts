// Who works at the console. The server decides what each role may do; the pages
// only leave out what would be refused.
import { reactive } from 'vue'
import type { NamesView, StaffMeView } from '@shared/answers'
import { call, guarded, pb } from '@shared/api'
import { openSessions } from '@shared/session'

export type Role = 'reviewer' | 'finance' | 'cashier' | 'auditor' | 'config'

export const roleNames: Record<Role, string> = { reviewer: '审核', finance: '财务', cashier: '收费处', auditor: '审计', config: '配置' }

/** rolesText lists roles in words. */
export const rolesText = (roles: readonly string[]) => roles.map((r) => roleNames[r as Role] ?? r).join('、')

export const { session, known, keep, leave, out, whenLost, loadMe } = openSessions<StaffMeView>('/api/hospay/staff/me', () => '登录已过期，请重新登录。')

export function may(...roles: Role[]): boolean {
  return roles.some((r) => session.me?.roles.includes(r))
}

/** refresh keeps a session alive while somebody works. */
export async function refresh(): Promise<void> {
  await guarded(() => pb.collection('staff').authRefresh())
}

/** names are those of the house's staff by id. */
export const names = reactive({} as Record<string, string>)

/** nameOf is the name of a staff member by id, once it is known. */
export function nameOf(id: string | undefined): string {
  return id ? (names[id] ?? '') : ''
}

/** loadNames reads who works in the house. */
export async function loadNames(): Promise<void> {
  const answer = await call<NamesView>('GET', '/api/hospay/staff/names').catch(() => null)
  Object.assign(names, answer?.names) // without an answer ids stay without names
}
