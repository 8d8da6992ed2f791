// The way to a channel's authorisation page. How one comes back is in session.ts.
import type { LinksView } from '@shared/answers'
import { call, Failure } from '@shared/api'
import { t } from '@shared/i18n'
import { store } from '@shared/storage'
import { comeAnew } from './native'
import { comeBack, goOut, inMini, institutionOf, PENDING, type Pending } from './session'

/** authorise sends the browser to a channel's authorisation page and remembers where to go on. The mini program logs in by itself. */
export async function authorise(channel: 'wechat' | 'alipay', back: string): Promise<void> {
  if (inMini()) {
    comeBack(back)
    await comeAnew()
    throw new Failure('channel_off', t('page.enter.mini'))
  }
  const state = Array.from(crypto.getRandomValues(new Uint8Array(24)), (b) => b.toString(16).padStart(2, '0')).join('')
  const institution = institutionOf(location.search)
  const q = new URLSearchParams({ state, institution })
  const { links } = await call<LinksView>('GET', `/api/hospay/auth/links?${q}`)
  const link = links.find((l) => l.channel === channel)
  if (!link) throw new Failure('channel_off', t('error.channel_off'))
  store(PENDING, { state, channel, back, institution } satisfies Pending, 'session')
  await goOut(link.url)
}
