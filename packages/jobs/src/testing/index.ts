export { startRedis, type TestRedis, type TestRedisServer } from './redis.ts';
