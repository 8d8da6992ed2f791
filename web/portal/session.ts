// Who is using the page, and how they came in: the portal's ticket, or the
// authorisation page of WeChat or Alipay.
import type { LinksView, MeView, RegisterView } from '@shared/answers'
import { call, coded, failure, Failure, pb } from '@shared/api'
import { t } from '@shared/i18n'
import { type Entered, localRoute, openSessions } from '@shared/session'
import { store, stored, storedAs, unstore } from '@shared/storage'
import { keepCode } from './credential'

export const { session, known, keep, leave, out, whenLost, loadMe } = openSessions<MeView>('/api/hospay/me', () => t('page.error.session'))

interface Pending {
  state: string
  channel: 'wechat' | 'alipay'
  back: string
  institution: string
}

const PENDING = 'hospay_oauth'

/** authorise sends the browser to a channel's authorisation page and remembers where to go on. */
export async function authorise(channel: 'wechat' | 'alipay', back: string): Promise<void> {
  const state = Array.from(crypto.getRandomValues(new Uint8Array(24)), (b) => b.toString(16).padStart(2, '0')).join('')
  const institution = institutionOf(location.search)
  const q = new URLSearchParams({ state, institution })
  const { links } = await call<LinksView>('GET', `/api/hospay/auth/links?${q}`)
  const link = links.find((l) => l.channel === channel)
  if (!link) throw new Failure('channel_off', t('error.channel_off'))
  store(PENDING, { state, channel, back, institution } satisfies Pending, 'session')
  await goOut(link.url)
}

/** goOut sends the browser to a page that is not ours. It ends only when the person comes back to this very page. */
export function goOut(url: string): Promise<void> {
  location.assign(url)
  return new Promise((back) => window.addEventListener('pageshow', () => back(), { once: true }))
}

function institutionOf(search: string): string {
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
 * code with which a channel sent the person back, or that of the insurance's
 * credential. It returns the route to
 * go on with, or null when there was nothing. The address is cleaned at once:
 * tickets and codes work only once and do not belong in the history.
 */
export async function arrive(): Promise<string | null> {
  const q = new URLSearchParams(location.search)
  const ticket = q.get('ticket')
  const code = q.get('auth_code') ?? q.get('code')
  const credential = q.get('authCode')
  if (!ticket && !code && !credential) return null
  const institution = institutionOf(location.search)
  history.replaceState(null, '', location.pathname + (institution ? `?inst=${encodeURIComponent(institution)}` : '') + location.hash)
  if (credential) {
    keepCode(credential)
    return localRoute(location.hash.slice(1) || '/')
  }
  try {
    if (ticket) return await enterByTicket(ticket)
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
  const answer = await call<Entered | RegisterView>('POST', `/api/hospay/auth/${pending.channel}`, { code, institution: pending.institution })
  if ('registration' in answer) {
    store(UNKNOWN, answer, 'session')
    comeBack(pending.back)
    return '/enter/who'
  }
  keep(answer)
  return localRoute(pending.back)
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
