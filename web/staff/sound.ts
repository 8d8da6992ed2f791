// A short tone when more waits than before, for those who want it.
import { watch } from 'vue'
import { choice } from './choice'
import { counts } from './counts'

export const loud = choice('sound', 'on', 'off')

/** tone sounds for a third of a second, not loud. */
export function tone(): void {
  const audio = new AudioContext()
  const [wave, volume] = [audio.createOscillator(), audio.createGain()]
  wave.frequency.value = 880
  volume.gain.setValueAtTime(0.15, audio.currentTime)
  volume.gain.exponentialRampToValueAtTime(0.001, audio.currentTime + 0.35)
  wave.connect(volume).connect(audio.destination)
  wave.onended = () => void audio.close()
  wave.start()
  wave.stop(audio.currentTime + 0.35)
}

/** watchSound sounds when the number of what waits has grown; the first one that is read says nothing. */
export const watchSound = () => watch(() => counts.todo, (now, before) => {
  if (loud.value && before !== undefined && (now ?? 0) > before) tone()
})
