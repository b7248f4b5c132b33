export { startWorkerPatiently } from './start-patiently.ts';
export { type Decides, startWorker, type Worker, type WorkerParts } from './worker.ts';
