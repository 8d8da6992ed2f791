// Calls of a kiosk: with the token of the device, and the handle of who stands at
// it. The token is all that the kiosk keeps; who stands there is held in memory
// and nowhere else.
import { coded, Failure } from '@shared/api'
import { t } from '@shared/i18n'
import { store, stored, unstore } from '@shared/storage'

const DEVICE = 'hospay_kiosk_device'
let person = ''

/** entered reports whether this device was entered as a kiosk. */
export const entered = () => stored(DEVICE) !== null
export const keepDevice = (token: string) => store(DEVICE, token)
export const forgetDevice = () => unstore(DEVICE)

/** stands notes the handle of who stands there; an empty one is nobody. */
export function stands(handle: string): void {
  person = handle
}

/** lost is told when the server knows the device, or the person, no more. */
let lost: (what: 'device' | 'person') => void = () => {}
export function whenLost(f: (what: 'device' | 'person') => void): void {
  lost = f
}

const WAIT = 30_000

/** ask asks a route of ours. A failure with the code network says that nothing is known of the outcome. */
export async function ask<T>(method: 'GET' | 'POST' | 'DELETE', path: string, body?: unknown): Promise<T> {
  const headers: Record<string, string> = { 'Content-Type': 'application/json' }
  const token = stored(DEVICE)
  if (token) headers.Authorization = token
  if (person) headers['X-Kiosk-Person'] = person
  let res: Response
  let text: string
  try {
    res = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body), signal: AbortSignal.timeout(WAIT) })
    text = await res.text()
  } catch {
    throw new Failure('network', '网络中断，没有收到医院系统的应答。')
  }
  let said: { message?: string; data?: { code?: string; detail?: string } }
  try {
    said = JSON.parse(text || '{}') as typeof said
  } catch {
    throw new Failure('network', '网络中断，没有收到医院系统的应答。')
  }
  if (res.ok) return said as T
  const code = said.data?.code ?? ''
  const failed = said.message && /[\u4e00-\u9fff]/.test(said.message)
    ? new Failure(code, said.message, res.status, said.data?.detail) : coded(code, res.status, said.data?.detail ?? '', said.message)
  if (code === 'kiosk_unknown') lost('device')
  else if (res.status === 401 && code !== 'kiosk_code') lost('person')
  throw failed
}

/** words says what is known to have gone wrong where no failure was told. */
export const words = (code: string) => t(`error.${code}`)
