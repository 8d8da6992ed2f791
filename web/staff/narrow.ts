// Whether the window is as narrow as a phone's: a reviewer on duty sees cards there.
import { onScopeDispose, ref, type Ref } from 'vue'

const PHONE = '(max-width: 720px)'

export function useNarrow(): Ref<boolean> {
  const media = matchMedia(PHONE)
  const narrow = ref(media.matches)
  const told = (e: { matches: boolean }) => { narrow.value = e.matches }
  media.addEventListener('change', told)
  onScopeDispose(() => media.removeEventListener('change', told))
  return narrow
}
