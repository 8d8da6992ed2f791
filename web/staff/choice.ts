// What each person chooses for themselves, kept in the browser.
import { computed, ref } from 'vue'
import { store, stored } from '@shared/storage'
import { session } from './session'

const changed = ref(0)

/** choice is one of two words, off unless the person has chosen on. */
export function choice(name: string, on: string, off: string) {
  const key = computed(() => `hospay_${name}_${session.me?.id ?? ''}`)
  return computed({
    get: () => changed.value >= 0 && stored(key.value) === on,
    set: (v: boolean) => {
      store(key.value, v ? on : off)
      changed.value++
    },
  })
}
