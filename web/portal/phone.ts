// Whom patients call. The number is kept: it is needed most where the server cannot be asked.
import { computed, ref } from 'vue'
import { store, stored } from '@shared/storage'
import { session } from './session'

const KEY = 'hospay_phone'
const kept = ref(stored(KEY) ?? '')

/** servicePhone is the institution's number, or '' where none is known. */
export const servicePhone = computed(() => {
  const told = session.me?.service_phone
  if (told === undefined) return kept.value
  if (told !== stored(KEY)) store(KEY, told)
  return told
})

/** dial is the address that a phone calls; an extension is for people to say. */
export function dial(phone: string): string {
  return `tel:${phone.replace(/转.*$/, '').replace(/[^+\d]/g, '')}`
}
