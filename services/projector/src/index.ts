export { type LoggedProjectorOptions, startLoggedProjector } from './projector.ts';
