// The way to the medical insurance's credential and back.
import { store, stored, unstore } from '@shared/storage'

const CODE = 'hospay_authcode'
const AWAY = 'hospay_authorising'

/** keepCode keeps what the credential's page has given until an order takes it. It works once. */
export function keepCode(code: string): void {
  store(CODE, code, 'session')
}

/** goAway remembers for which order somebody has left for the credential's page. */
export function goAway(order: string): void {
  store(AWAY, order, 'session')
}

/** backFrom tells whether somebody has come back for an order, and with what; null when nobody had left for it. */
export function backFrom(order: string): string | null {
  if (stored(AWAY, 'session') !== order) return null
  const code = stored(CODE, 'session') ?? ''
  unstore(AWAY, 'session')
  unstore(CODE, 'session')
  return code
}
