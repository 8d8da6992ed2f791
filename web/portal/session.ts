// Who is using the page, and how they came in: the portal's ticket, or the
// authorisation page of WeChat or Alipay.
import { reactive } from 'vue'
import { call, failure, Failure, onSessionLost, pb } from '@shared/api'
import { t } from '@shared/i18n'

export interface Me {
  id: string
  name: string
  id_no: string
  phone: string
  via: 'wechat' | 'alipay'
  wechat_bound: boolean
  alipay_bound: boolean
  senior: boolean
}

export const session = reactive({
  me: null as Me | null,
  /** why the last way in failed, to be told on the entry page */
  trouble: null as Failure | null,
})

export function known(): boolean {
  return pb.authStore.isValid
}

/** leave forgets the session. Drafts stay: they belong to the patient who comes back. */
export function leave(): void {
  pb.authStore.clear()
  session.me = null
}

let away: () => void = () => {}
/** whenLost says what to do when a session ends in the middle. */
export function whenLost(f: () => void): void {
  away = f
}
onSessionLost(() => {
  leave()
  session.trouble = new Failure('session', t('page.error.session'), 401)
  away()
})

let asking: Promise<Me> | null = null

/** loadMe reads the person's own data once. */
export async function loadMe(): Promise<Me> {
  if (session.me) return session.me
  asking ??= call<Me>('GET', '/api/hospay/me').finally(() => { asking = null })
  session.me = await asking
  return session.me
}

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
  const { links } = await call<{ links: { channel: string; url: string }[] }>('GET', `/api/hospay/auth/links?${q}`)
  const link = links.find((l) => l.channel === channel)
  if (!link) throw new Failure('channel_off', t('error.channel_off'))
  sessionStorage.setItem(PENDING, JSON.stringify({ state, channel, back, institution } satisfies Pending))
  location.assign(link.url)
}

function institutionOf(search: string): string {
  return new URLSearchParams(search).get('inst') ?? ''
}

function takePending(): Pending | null {
  const text = sessionStorage.getItem(PENDING)
  sessionStorage.removeItem(PENDING)
  try {
    return text ? (JSON.parse(text) as Pending) : null
  } catch {
    return null
  }
}

/** localRoute accepts only routes of this page, so that nobody is sent elsewhere. */
export function localRoute(back: string): string {
  return /^\/(?!\/)[\w\-/?=&.%]*$/.test(back) ? back : '/'
}

/**
 * arrive handles what stands in the address when the page opens: a ticket, or
 * the code with which a channel sent the person back. It returns the route to
 * go on with, or null when there was nothing. The address is cleaned at once:
 * tickets and codes work only once and do not belong in the history.
 */
export async function arrive(): Promise<string | null> {
  const q = new URLSearchParams(location.search)
  const ticket = q.get('ticket')
  const code = q.get('auth_code') ?? q.get('code')
  if (!ticket && !code) return null
  const institution = institutionOf(location.search)
  history.replaceState(null, '', location.pathname + (institution ? `?inst=${encodeURIComponent(institution)}` : '') + location.hash)
  try {
    if (ticket) return await enterByTicket(ticket)
    return await enterByCode(code ?? '', q.get('state') ?? '')
  } catch (err) {
    session.trouble = failure(err)
    return known() ? '/' : '/enter'
  }
}

async function enterByTicket(ticket: string): Promise<string> {
  const answer = await call<{ token: string; record: { id: string; collectionId: string; collectionName: string } }>('POST', '/api/hospay/auth/ticket', { ticket })
  keep(answer)
  const back = sessionStorage.getItem('hospay_back') ?? '/'
  sessionStorage.removeItem('hospay_back')
  return localRoute(back)
}

async function enterByCode(code: string, state: string): Promise<string> {
  const pending = takePending()
  if (!pending || state === '' || pending.state !== state) throw new Failure('code_invalid', t('error.code_invalid'))
  const answer = await call<{ token: string; record: { id: string; collectionId: string; collectionName: string } }>(
    'POST', `/api/hospay/auth/${pending.channel}`, { code, institution: pending.institution })
  keep(answer)
  return localRoute(pending.back)
}

function keep(answer: { token: string; record: { id: string; collectionId: string; collectionName: string } }): void {
  // The record itself is not stored: masked or not, it is nobody's on this phone.
  const { id, collectionId, collectionName } = answer.record
  pb.authStore.save(answer.token, { id, collectionId, collectionName })
  session.me = null
  session.trouble = null
}

/** patientId is the id of who is logged in. */
export function patientId(): string {
  return pb.authStore.record?.id ?? ''
}
