// A house with many people: enough for a batch of 200, and for each file of walks to have its own.
import type { TestProject } from 'vitest/node'
import { open } from './house'

export default (project: TestProject) => open(project, 250)
