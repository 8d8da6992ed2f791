// Care mode (关怀版): larger text and targets, offered from 60 years on, never forced.
import { ref } from 'vue'

const KEY = 'hospay_care'
export const care = ref(false)

function stored(): string | null {
  try {
    return localStorage.getItem(KEY)
  } catch {
    return null
  }
}

/** setCare switches the mode and remembers the choice. */
export function setCare(on: boolean): void {
  care.value = on
  document.documentElement.toggleAttribute('data-care', on)
  try {
    localStorage.setItem(KEY, on ? 'on' : 'off')
  } catch {
    // the choice lasts as long as the page
  }
}

/** startCare applies the choice made before. */
export function startCare(): void {
  if (stored() === 'on') setCare(true)
}

/** undecided: nobody has chosen on this phone yet. */
export function undecided(): boolean {
  return stored() === null
}
