// A form that is not taken shows where: the first mistake comes into sight and
// takes the focus, however long the form is. One listener serves all forms.
import { nextTick } from 'vue'

// A control that says that it is wrong, a sentence about one, an alert of the form.
const MISTAKES = '[aria-invalid="true"], .error, .is-error, [role="alert"]'
const CONTROLS = 'input:not([type="hidden"]):not(:disabled), select:not(:disabled), textarea:not(:disabled)'

/** firstMistake is where a form says first that something is wrong, and the control to mend it with. */
export function firstMistake(form: ParentNode): { at: HTMLElement; control: HTMLElement | null } | null {
  const at = [...form.querySelectorAll<HTMLElement>(MISTAKES)].find((e) => e.matches(CONTROLS) || e.classList.contains('is-error') || e.textContent?.trim())
  if (!at) return null
  if (at.matches(CONTROLS)) return { at, control: at }
  const about = at.closest('[id]')?.id
  const described = about ? form.querySelector<HTMLElement>(`[aria-describedby~="${CSS.escape(about)}"]`) : null
  const near = at.querySelector<HTMLElement>(CONTROLS) ?? at.closest('fieldset')?.querySelector<HTMLElement>(CONTROLS) ?? null
  return { at, control: described ?? near }
}

/** showMistake brings the first mistake of a form into sight. */
export function showMistake(form: ParentNode): void {
  const found = firstMistake(form)
  if (!found) return
  found.control?.focus({ preventScroll: true })
  const shown = found.control ?? found.at
  shown.scrollIntoView({ block: 'center' })
}

/** watchForms does so for every form of the page that somebody sends. What the form's own code says first is then in the page. */
export function watchForms(): void {
  document.addEventListener('submit', (e) => {
    const form = e.target
    if (form instanceof HTMLFormElement) void nextTick(() => showMistake(form))
  })
}
