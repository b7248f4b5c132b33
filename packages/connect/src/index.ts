export {
  type Connected,
  type ConnectOptions,
  connectLedger,
  connectPatiently,
  openStore,
} from './connect.ts';
export { type Database, openDatabase } from './database.ts';
export { createLog } from './log.ts';
export { formatPosition, POSITION_PATTERN, parsePosition } from './position.ts';
export { BadSettings, type LogLevel, parseSettings, type Settings } from './settings.ts';
