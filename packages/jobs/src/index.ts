export { createJobs, type JobsOptions } from './jobs.ts';
export { onceInAWhile } from './once-in-a-while.ts';
export { periodically } from './periodically.ts';
export {
  type Counts,
  type DeadLetter,
  type DeadLetters,
  type Handler,
  type Job,
  type JobData,
  type Jobs,
  JobsUnavailable,
  type Outcome,
  type Progress,
  type Recurrence,
  type RunningJob,
  type Schedule,
  type WorkOptions,
} from './port.ts';
