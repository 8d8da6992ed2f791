// Care mode (关怀版): larger text and targets, offered from 60 years on, never forced.
import { ref } from 'vue'
import { store, stored } from '@shared/storage'

const KEY = 'hospay_care'
export const care = ref(false)

/** setCare switches the mode and remembers the choice. */
export function setCare(on: boolean): void {
  care.value = on
  document.documentElement.toggleAttribute('data-care', on)
  store(KEY, on ? 'on' : 'off')
}

/** startCare applies the choice made before. */
export function startCare(): void {
  if (stored(KEY) === 'on') setCare(true)
}

/** undecided: nobody has chosen on this phone yet. */
export function undecided(): boolean {
  return stored(KEY) === null
}
