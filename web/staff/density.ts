// How close the rows stand.
import { watchEffect } from 'vue'
import { choice } from './choice'

export const dense = choice('density', 'compact', 'comfortable')

/** watchDensity lets the page follow. */
export const watchDensity = () => watchEffect(() => document.documentElement.classList.toggle('dense', dense.value))
