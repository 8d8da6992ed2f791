// Calls of hospay's API. Every failure becomes a Failure with the server's
// stable code and a sentence in the language of the page.
import PocketBase, { ClientResponseError, LocalAuthStore } from 'pocketbase'
import { has, t } from './i18n'

// Patients and staff may use one browser; each entry keeps a session of its own.
const entry = /^\/(\w+)\//.exec(location.pathname)?.[1] ?? 'patient'

export const pb = new PocketBase('/', new LocalAuthStore(`hospay_${entry}`), 'zh-CN')
pb.autoCancellation(false)

/** Failure is what went wrong, for people. Code is stable; 'network' means that nothing is known of the outcome. */
export class Failure extends Error {
  /** asked: somebody asked for what has failed, and looks for an answer */
  asked = false

  constructor(readonly code: string, message: string, readonly status = 0, readonly detail = '') {
    super(message)
  }
}

/** failure turns whatever was thrown into a Failure. */
export function failure(err: unknown): Failure {
  if (err instanceof Failure) return err
  if (err instanceof ClientResponseError && err.status > 0) {
    const data = (err.response.data ?? {}) as { code?: string; detail?: string }
    return coded(typeof data.code === 'string' ? data.code : '', err.status, String(data.detail ?? ''), err.response.message)
  }
  return new Failure('network', t('page.error.network'))
}

/** coded builds the Failure of an answer. */
export function coded(code: string, status: number, detail: string, message?: string): Failure {
  // patients are not sent to the hospital's IT
  if (entry === 'patient' && status >= 500 && ['', 'internal'].includes(code)) return new Failure('internal', t('page.error.down'), status, detail)
  if (has(`error.${code}`)) return new Failure(code, t(`error.${code}`, { detail }), status, detail)
  if (status === 401) return new Failure('session', t('page.error.session'), status)
  if (status === 429) return new Failure('too_many_requests', t('page.error.busy'), status)
  if (status === 404) return new Failure('not_found', t('error.not_found'), status)
  return new Failure(code || 'internal', message && /[\u4e00-\u9fff]/.test(message) ? message : t('error.internal'), status, detail)
}

/** lost is called when the server no longer knows the session, with its words where it has some. */
let lost: (why: string) => void = () => {}
export function onSessionLost(f: (why: string) => void): void {
  lost = f
}

/** call asks a route of ours. */
export async function call<T>(method: 'GET' | 'POST' | 'DELETE', path: string, body?: unknown): Promise<T> {
  return guarded(() => pb.send<T>(path, { method, body }))
}

/** guarded runs a request, turns errors into Failures, and notices a lost session. */
export async function guarded<T>(f: () => Promise<T>): Promise<T> {
  try {
    return await f()
  } catch (err) {
    const e = failure(err)
    if (e.status === 401 && ['session', 'not_allowed', 'idle', 'session_expired', 'session_ended'].includes(e.code)) {
      lost(e.code === 'idle' || e.code === 'session_expired' ? e.message : '')
      throw new Failure('session', t('page.error.session'), 401)
    }
    throw e
  }
}

/** newId makes a record id of PocketBase's form. */
export function newId(): string {
  const letters = 'abcdefghijklmnopqrstuvwxyz0123456789'
  return Array.from(crypto.getRandomValues(new Uint32Array(15)), (n) => letters[n % letters.length]).join('')
}

/** fileURL is the address of a protected file, with a token that lives for minutes. */
export async function fileURL(collection: string, id: string, name: string): Promise<string> {
  const { token } = await guarded(() => pb.send<{ token: string }>('/api/files/token', { method: 'POST' }))
  return `/api/files/${collection}/${id}/${encodeURIComponent(name)}?token=${token}`
}
