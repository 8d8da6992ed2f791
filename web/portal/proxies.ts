// What the pages of a proxy share.
import { ref, watchEffect, type Ref } from 'vue'
import { guarded, pb } from '@shared/api'
import type { ProxyApplication } from '@shared/records'

const names = new Map<string, string>()

/**
 * usePrincipal tells for whom an order was applied: the principal's masked
 * name, empty for oneself. Every page of a proxy says it.
 */
export function usePrincipal(application: () => string | undefined): Ref<string> {
  const name = ref('')
  watchEffect(async () => {
    const id = application()
    name.value = id ? (names.get(id) ?? '') : ''
    if (!id || name.value) return
    const a = await guarded(() => pb.collection('proxy_applications').getOne<ProxyApplication>(id)).catch(() => null)
    if (!a) return // the page itself tells when the network is gone
    names.set(id, a.principal_name)
    name.value = a.principal_name
  })
  return name
}

/** proxyTone colours the state of an application; the words say the same. */
export function proxyTone(status: string): '' | 'good' | 'warn' | 'bad' | 'plain' {
  switch (status) {
    case 'approved': return 'good'
    case 'draft': return 'warn'
    case 'rejected': return 'bad'
    case 'closed': return 'plain'
  }
  return ''
}
