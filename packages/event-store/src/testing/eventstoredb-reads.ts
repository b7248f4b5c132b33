/** The Read method of the EventStoreDB stand-in: pages of a stream or of the log, and subscriptions. */
import streamsPb from '@eventstore/db-client/generated/streams_pb.js';
import { type ServerErrorResponse, type ServerWritableStream, status } from '@grpc/grpc-js';
import type { Log, LoggedEvent } from './eventstoredb-log.ts';
import {
  caughtUp,
  checkpoint,
  confirmation,
  failure,
  nameOf,
  readEvent,
  streamDeleted,
  streamNotFound,
} from './eventstoredb-messages.ts';

export type ReadCall = ServerWritableStream<streamsPb.ReadReq, streamsPb.ReadResp>;
type Options = streamsPb.ReadReq.Options;
const { StreamOptionCase } = streamsPb.ReadReq.Options;

/** A real server searches so many events for a checkpoint of a filtered subscription. */
const CHECKPOINT_EVENTS = 32;
/** Events that a real server keeps for a live subscriber before it ends the subscription. */
const LIVE_BUFFER = 32;
const TOO_SLOW =
  'Operation timed out: Consumer too slow to handle event while live. Client resubscription required.';
export const consumerTooSlow = (): ServerErrorResponse => failure(status.ABORTED, TOO_SLOW);

/** What a read takes its events from: one stream or the whole log. */
interface Source {
  /** Index of the next event upwards, or -1 and below where nothing is left downwards. */
  start: number;
  at(index: number): LoggedEvent | undefined;
  wanted(event: LoggedEvent): boolean;
}

const GOES_ON = ['drain', 'close', 'cancelled', 'error'];

/** Writes as fast as the caller reads; false once it has gone. */
async function write(call: ReadCall, response: streamsPb.ReadResp): Promise<boolean> {
  if (call.cancelled || call.destroyed || call.writableEnded) return false;
  if (!call.write(response)) {
    await new Promise<void>((resolve) => {
      const goOn = () => {
        for (const event of GOES_ON) call.off(event, goOn);
        resolve();
      };
      for (const event of GOES_ON) call.on(event, goOn);
    });
  }
  return true;
}

/** Answers one page and ends the call. */
export async function servePage(call: ReadCall, log: Log, options: Options): Promise<void> {
  const count = Number(options.getCount());
  if (count === 0)
    return void call.emit('error', failure(status.UNKNOWN, 'Unexpected ReadStreamResult: Error'));
  // Servers up to 22.x refuse a search window that is no larger than the count, later ones do not mind.
  const window = options.getFilter()?.getMax() ?? 0;
  if (window > 0 && window <= count) {
    call.emit('error', failure(status.UNKNOWN, 'Exception was thrown by handler.'));
    return;
  }
  const source = open(call, log, options);
  if (source === null) return;
  const step = options.getReadDirection() === 0 ? 1 : -1;
  let written = 0;
  for (let index = source.start; written < count; index += step) {
    const event = source.at(index);
    if (event === undefined) break;
    if (!source.wanted(event)) continue;
    if (!(await write(call, readEvent(event)))) return;
    written++;
  }
  call.end();
}

/** Null where the call has been answered already: no such stream, or deleted. */
function open(call: ReadCall, log: Log, options: Options): Source | null {
  if (options.getStreamOptionCase() === StreamOptionCase.ALL) return openAll(log, options);
  const name = nameOf(options.getStream()?.getStreamIdentifier());
  const found = log.read(name);
  if (found.status === 'deleted') {
    call.emit('error', streamDeleted(name));
    return null;
  }
  if (found.status === 'not_found') {
    call.write(streamNotFound(name));
    call.end();
    return null;
  }
  const place = options.getStream();
  const forwards = options.getReadDirection() === 0;
  const last = found.events.length - 1;
  const given = place?.hasRevision() ? Number(place.getRevision()) : place?.hasEnd() ? last : 0;
  return {
    start: forwards ? Math.max(given, found.first) : Math.min(given, last),
    at: (index) => (index < found.first ? undefined : found.events[index]),
    wanted: () => true,
  };
}

function openAll(log: Log, options: Options): Source {
  const place = options.getAll();
  const forwards = options.getReadDirection() === 0;
  const position = BigInt(place?.getPosition()?.getCommitPosition() ?? 0);
  let start = forwards ? 0 : log.events.length - 1;
  // Upwards inclusive, downwards exclusive, as recorded.
  if (place?.hasPosition()) start = log.indexAfter(position - 1n) - (forwards ? 0 : 1);
  else if (place?.hasEnd() && forwards) start = log.events.length;
  else if (place?.hasStart() && !forwards) start = -1;
  return { start, at: (index) => log.events[index], wanted: filterOf(options) };
}

function filterOf(options: Options): (event: LoggedEvent) => boolean {
  const filter = options.getFilter();
  if (filter === undefined) return () => true;
  const expression = filter.getStreamIdentifier() ?? filter.getEventType();
  const named = filter.hasStreamIdentifier() ? (e: LoggedEvent) => e.stream : (e: LoggedEvent) => e.type;
  const prefixes = expression?.getPrefixList() ?? [];
  if (prefixes.length > 0) return (event) => prefixes.some((prefix) => named(event).startsWith(prefix));
  const pattern = new RegExp(expression?.getRegex() ?? '');
  return (event) => pattern.test(named(event));
}

/**
 * Confirms, catches up, says so, and follows until the call ends. `liveBufferLimited` tells at each append whether
 * the subscription is to break when more events arrive at once than a real server keeps.
 */
export async function serveSubscription(
  call: ReadCall,
  log: Log,
  options: Options,
  liveBufferLimited: () => boolean,
): Promise<void> {
  const toAll = options.getStreamOptionCase() === StreamOptionCase.ALL;
  const source = toAll ? allToFollow(log, options) : streamToFollow(call, log, options);
  if (source === null) return;
  const window =
    toAll && options.hasFilter()
      ? CHECKPOINT_EVENTS * Math.max(1, options.getFilter()?.getCheckpointintervalmultiplier() ?? 1)
      : 0;
  let index = source.start;
  let live = false;
  let behind = 0;
  let arrived = Promise.withResolvers<void>();
  const stop = log.onAppend(() => arrived.resolve());
  call.on('cancelled', () => arrived.resolve());
  call.on('close', () => arrived.resolve());
  let open = await write(call, confirmation());
  for (let searched = 0; open; ) {
    const event = source.at(index);
    if (event === undefined) {
      // On a stream that does not exist the catching up ends after its first event, as recorded.
      if (!live && (toAll || index > 0)) {
        if (window > 0 && searched > 0) await write(call, checkpoint(log.events.at(-1)?.position ?? 0n));
        open = await write(call, caughtUp());
        live = true;
      }
      behind = 0;
      await arrived.promise;
      arrived = Promise.withResolvers<void>();
      open &&= !call.cancelled && !call.destroyed;
      continue;
    }
    index++;
    searched++;
    behind++;
    if (source.wanted(event)) {
      if (live && liveBufferLimited() && behind > LIVE_BUFFER) {
        call.emit('error', consumerTooSlow());
        break;
      }
      open = await write(call, readEvent(event));
    }
    if (window > 0 && searched % window === 0) open = await write(call, checkpoint(event.position));
  }
  stop();
}

/** Subscriptions begin after the given place, pages at it. */
function allToFollow(log: Log, options: Options): Source {
  const place = options.getAll();
  const position = place?.getPosition();
  let start = place?.hasEnd() ? log.events.length : 0;
  if (position !== undefined) start = log.indexAfter(BigInt(position.getCommitPosition()));
  return { start, at: (index) => log.events[index], wanted: filterOf(options) };
}

function streamToFollow(call: ReadCall, log: Log, options: Options): Source | null {
  const place = options.getStream();
  const name = nameOf(place?.getStreamIdentifier());
  const found = log.read(name);
  if (found.status === 'deleted') {
    call.emit('error', streamDeleted(name));
    return null;
  }
  const events = () => {
    const now = log.read(name);
    return now.status === 'found' ? now.events : [];
  };
  const first = found.status === 'found' ? found.first : 0;
  const given = place?.hasRevision()
    ? Number(place.getRevision()) + 1
    : place?.hasEnd()
      ? events().length
      : 0;
  return { start: Math.max(given, first), at: (index) => events()[index], wanted: () => true };
}
