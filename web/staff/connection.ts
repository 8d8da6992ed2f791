// Trying out a connection: each step with what the other side said.
import { ref, type Ref } from 'vue'
import type { ChannelTest, Step } from '@shared/answers'
import { call } from '@shared/api'
import { useTask, type Task } from '@shared/useTask'

interface Connections extends Pick<Task, 'trouble' | 'running'> {
  tried: Ref<Record<string, Step[]>>
  test: (key: string, body: unknown) => Promise<boolean>
}

/** useConnections tries connections out and holds the steps of each under its key. */
export function useConnections(): Connections {
  const { trouble, running, run } = useTask()
  const tried = ref<Record<string, Step[]>>({})
  const test = (key: string, body: unknown) => run(key, async () => {
    tried.value[key] = (await call<Pick<ChannelTest, 'steps'>>('POST', '/api/hospay/config/test', body)).steps
  })
  return { trouble, running, tried, test }
}
