// Who is using the page, and how they came in: the portal's ticket, or the
// authorisation page of WeChat or Alipay.
import type { MeView, RegisterView } from '@shared/answers'
import { call, coded, failure, Failure, pb } from '@shared/api'
import { t } from '@shared/i18n'
import { type Entered, localRoute, openSessions } from '@shared/session'
import { store, stored, storedAs, unstore } from '@shared/storage'
import { keepCode } from './credential'

export const { session, known, keep, leave, out, whenLost, loadMe } = openSessions<MeView>('/api/hospay/me', () => t('page.error.session'))

declare global {
  interface Window { __wxjs_environment?: string }
}

/**
 * inMini: the hospital's mini program shows these pages in its web-view. What WeChat
 * does for a mini program alone happens on native pages of it (native.ts, web/mini/).
 */
export const inMini = () => window.__wxjs_environment === 'miniprogram' || /miniProgram/i.test(navigator.userAgent)

/** Pending is what is remembered on the way to a channel's authorisation page and back. */
export interface Pending {
  state: string
  channel: 'wechat' | 'alipay'
  back: string
  institution: string
}

export const PENDING = 'hospay_oauth'

/** goOut sends the browser to a page that is not ours. It ends only when the person comes back to this very page. */
export function goOut(url: string): Promise<void> {
  location.assign(url)
  return new Promise((back) => window.addEventListener('pageshow', () => back(), { once: true }))
}

export function institutionOf(search: string): string {
  return new URLSearchParams(search).get('inst') ?? ''
}

function takePending(): Pending | null {
  const pending = storedAs<Pending>(PENDING, 'session')
  unstore(PENDING, 'session')
  return pending
}

const BACK = 'hospay_back'

/** comeBack remembers where to go on after the way in. */
export function comeBack(route: string): void {
  store(BACK, route, 'session')
}

/** wayBack is the route that was remembered, or the start. */
export function wayBack(): string {
  return localRoute(stored(BACK, 'session') ?? '/')
}

/**
 * arrive handles what stands in the address when the page opens: a ticket, the
 * code with which a channel sent the person back, that of the mini program's login,
 * or that of the insurance's credential. It returns the route to
 * go on with, or null when there was nothing. The address is cleaned at once:
 * tickets and codes work only once and do not belong in the history.
 */
export async function arrive(): Promise<string | null> {
  const q = new URLSearchParams(location.search)
  const ticket = q.get('ticket')
  const code = q.get('auth_code') ?? q.get('code')
  const mini = inMini() ? q.get('mini') : null
  const credential = q.get('authCode')
  if (!ticket && !code && !mini && !credential) return null
  const institution = institutionOf(location.search)
  history.replaceState(null, '', location.pathname + (institution ? `?inst=${encodeURIComponent(institution)}` : '') + location.hash)
  if (credential) {
    keepCode(credential)
    return localRoute(location.hash.slice(1) || '/')
  }
  try {
    if (ticket) return await enterByTicket(ticket)
    if (mini) return await enterByMini(mini, institution, localRoute(location.hash.slice(1) || '/'))
    return await enterByCode(code ?? '', q.get('state') ?? '')
  } catch (err) {
    session.note = failure(err).message
    return known() ? '/' : '/enter'
  }
}

interface Came { ticket: string; asked: Promise<{ status: number; body: unknown }> }

/** exchanged is what the page has been answered while its scripts were on their way (index.html); null where nobody asked, or nothing came. */
async function exchanged(ticket: string): Promise<Entered | null> {
  const w = window as { hospayCame?: Came }
  const came = w.hospayCame
  delete w.hospayCame
  const answer = came?.ticket === ticket ? await came.asked.catch(() => null) : null
  if (!answer) return null
  if (answer.status === 200) return answer.body as Entered
  const { message, data } = answer.body as { message?: string; data?: { code?: string; detail?: string } }
  throw coded(data?.code ?? '', answer.status, data?.detail ?? '', message)
}

async function enterByTicket(ticket: string): Promise<string> {
  keep((await exchanged(ticket)) ?? (await call<Entered>('POST', '/api/hospay/auth/ticket', { ticket })))
  const back = wayBack()
  unstore(BACK, 'session')
  return back
}

async function enterByCode(code: string, state: string): Promise<string> {
  const pending = takePending()
  if (!pending || state === '' || pending.state !== state) throw new Failure('code_invalid', t('error.code_invalid'))
  return enterWith(pending.channel, { code, institution: pending.institution }, pending.back)
}

/** enterByMini enters by the code of the mini program's login. Who is logged in as somebody else of the same phone stays so. */
async function enterByMini(code: string, institution: string, route: string): Promise<string> {
  const back = route === '/' ? wayBack() : route
  unstore(BACK, 'session')
  try {
    return await enterWith('wechat', { code, institution, terminal: 'mini' }, back)
  } catch (err) {
    if (known() && failure(err).code === 'conflict') return back
    throw err
  }
}

async function enterWith(channel: string, sent: Record<string, string>, back: string): Promise<string> {
  const answer = await call<Entered | RegisterView>('POST', `/api/hospay/auth/${channel}`, sent)
  if ('registration' in answer) {
    store(UNKNOWN, answer, 'session')
    comeBack(back)
    return '/enter/who'
  }
  keep(answer)
  return localRoute(back)
}

const UNKNOWN = 'hospay_unknown'

/** unknown is the account that came in and is nobody's yet, sealed by the server. */
export const unknown = () => storedAs<RegisterView>(UNKNOWN, 'session')

/** enterAs says who one is; the account that came in is theirs from then on. */
export async function enterAs(who: { name: string; id_type: string; id_no: string; card_no: string }): Promise<string> {
  keep(await call<Entered>('POST', '/api/hospay/auth/register', { registration: unknown()?.registration, ...who }))
  unstore(UNKNOWN, 'session')
  const back = wayBack()
  unstore(BACK, 'session')
  return back
}

/** patientId is the id of who is logged in. */
export function patientId(): string {
  return pb.authStore.record?.id ?? ''
}
