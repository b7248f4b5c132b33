export { type Decides, startWorker, type Worker, type WorkerParts } from './worker.ts';
