/**
 * Reading from EventStoreDB: one stream, its head, and pages of the whole log.
 *
 * A page is a filtered read, which answers events only: it does not say how far it searched. So the end of the log is
 * asked for first; a page that came short has searched at least to there, and its cursor may go there, past
 * foreign events, without passing one of its own (event-store.md, trap 15). That rests on the server: it goes on searching,
 * window after window, until the count is reached or the log ends, and both directions end at the last indexed event. The account needs read access to $all.
 */
import sharedPb from '@eventstore/db-client/generated/shared_pb.js';
import streamsPb from '@eventstore/db-client/generated/streams_pb.js';
import { status } from '@grpc/grpc-js';
import {
  fromCursor,
  isAfter,
  type LogPosition,
  logPosition,
  recordedEvent,
  type ServerEvent,
  samePosition,
  streamIdentifier,
  streamNameOf,
  toCursor,
} from './eventstoredb-codec.ts';
import { type Connection, exceptionOf, hasStatus, type StreamsClient } from './eventstoredb-connection.ts';
import { type Page, type ReadAll, type RecordedEvent, StoreUnavailable } from './port.ts';

const { Options } = streamsPb.ReadReq;
const FORWARDS = 0;
const BACKWARDS = 1;
/** Events that the server searches at once for those that pass the filter; up to 22.x it must exceed the count. */
const SEARCH_WINDOW = 1024;
/** Events of an unfiltered page: it only serves to get on. */
const UNFILTERED_PAGE = 1000;
/** Revisions so near to each other are read in one go, with what lies between. */
const GAP_MAX = 16;

export interface Reader {
  readStream(stream: string, options: { from: number; limit: number }): Promise<readonly RecordedEvent[]>;
  readRevisions(stream: string, revisions: readonly number[]): Promise<readonly RecordedEvent[]>;
  head(stream: string): Promise<number>;
  readAll(options: ReadAll): Promise<Page>;
}

/** `timeoutMs` is for one call to the server. */
export function createReader(connection: Connection, prefix: string, timeoutMs: number): Reader {
  /** Events of one read; with `partial`, also those that came before the time was over. */
  async function read(
    request: streamsPb.ReadReq,
    streams: StreamsClient,
  ): Promise<{ events: ServerEvent[]; late: boolean }> {
    const events: ServerEvent[] = [];
    const [metadata, options] = connection.callArguments({ leader: true, timeoutMs });
    const responses = streams.read(request, metadata, options);
    try {
      await new Promise<void>((resolve, reject) => {
        responses.on('data', (response: streamsPb.ReadResp) => {
          const event = response.getEvent()?.getEvent();
          if (event !== undefined) events.push(event);
        });
        responses.on('end', resolve);
        responses.on('error', reject);
      });
      return { events, late: false };
    } catch (cause) {
      if (exceptionOf(cause) === 'stream-deleted') return { events: [], late: false };
      if (hasStatus(cause, status.DEADLINE_EXCEEDED)) return { events, late: true };
      connection.failed(streams, cause);
      throw new StoreUnavailable('unwritten', 'the event store failed at a read', { cause });
    }
  }

  async function readInTime(request: streamsPb.ReadReq, streams: StreamsClient): Promise<ServerEvent[]> {
    const { events, late } = await read(request, streams);
    if (late) throw new StoreUnavailable('unwritten', 'the event store did not answer a read in time');
    return events;
  }

  async function readStream(
    stream: string,
    options: { from: number; limit: number },
  ): Promise<RecordedEvent[]> {
    // The server answers a count of 0 with an error.
    if (options.limit <= 0) return [];
    const request = readRequest(FORWARDS, options.limit);
    const place = new Options.StreamOptions().setStreamIdentifier(streamIdentifier(prefix + stream));
    request.getOptions()?.setStream(place.setRevision(String(options.from)));
    const events = await readInTime(request, await connection.streams());
    return events.map((event) => recordedEvent(event, prefix));
  }

  async function readRevisions(stream: string, revisions: readonly number[]): Promise<RecordedEvent[]> {
    const runs: Array<{ from: number; to: number }> = [];
    for (const revision of [...new Set(revisions)].sort((a, b) => a - b)) {
      const run = runs.at(-1);
      if (run !== undefined && revision - run.to <= GAP_MAX) run.to = revision;
      else runs.push({ from: revision, to: revision });
    }
    const read = await Promise.all(
      runs.map(({ from, to }) => readStream(stream, { from, limit: to - from + 1 })),
    );
    const wanted = new Set(revisions);
    return read.flat().filter((event) => wanted.has(event.revision));
  }

  async function head(stream: string): Promise<number> {
    const request = readRequest(BACKWARDS, 1);
    const place = new Options.StreamOptions().setStreamIdentifier(streamIdentifier(prefix + stream));
    request.getOptions()?.setStream(place.setEnd(new sharedPb.Empty()));
    const [last] = await readInTime(request, await connection.streams());
    return last === undefined ? -1 : Number(last.getStreamRevision());
  }

  async function endOfLog(streams: StreamsClient): Promise<LogPosition | null> {
    const request = readRequest(BACKWARDS, 1);
    request.getOptions()?.setAll(new Options.AllOptions().setEnd(new sharedPb.Empty()));
    const [last] = await readInTime(request, streams);
    return last === undefined ? null : logPosition(last);
  }

  async function readAll({ after: cursor, limit, categories }: ReadAll): Promise<Page> {
    const after = cursor === null ? null : fromCursor(cursor);
    // Both reads on one node: a page of another, that lags, would end before this end of the log.
    const streams = await connection.streams();
    const end = await endOfLog(streams);
    if (after !== null && (end === null || isAfter(after, end))) {
      throw new StoreUnavailable(
        'unwritten',
        'the log ends before the cursor: another store, or restored, or it lags',
      );
    }
    if (end === null) return { events: [], cursor: null, position: 0n, atEnd: true };
    const prefixes = categories?.map((category) => `${prefix}${category}-`) ?? [prefix];
    if ((after !== null && samePosition(after, end)) || prefixes.length === 0) return pageOf([], end, true);
    const filtered = await readPage(streams, after, limit, end, prefixes);
    return filtered ?? unfilteredPage(streams, after, limit, prefixes);
  }

  /** Null where the time was over before one event came: far behind, among many foreign events. */
  async function readPage(
    streams: StreamsClient,
    after: LogPosition | null,
    limit: number,
    end: LogPosition,
    prefixes: string[],
  ): Promise<Page | null> {
    // Two more than asked for: the read begins at the cursor's own event, and the last one tells whether there is more.
    const request = pageRequest(after, limit + 2);
    request.getOptions()?.setFilter(streamFilter(prefixes, limit + 2));
    const { events, late } = await read(request, streams);
    const fresh = events.filter((event) => after === null || isAfter(logPosition(event), after));
    if (late && fresh.length === 0) return null;
    const kept = fresh.slice(0, limit);
    const last = kept.at(-1);
    if (late || fresh.length > limit)
      return pageOf(kept, last === undefined ? end : logPosition(last), false);
    return pageOf(
      kept,
      last !== undefined && isAfter(logPosition(last), end) ? logPosition(last) : end,
      true,
    );
  }

  /** Without the server's filter a page always gets on: it ends after so many events, wanted or not. */
  async function unfilteredPage(
    streams: StreamsClient,
    after: LogPosition | null,
    limit: number,
    prefixes: readonly string[],
  ): Promise<Page> {
    const request = pageRequest(after, UNFILTERED_PAGE + 1);
    request.getOptions()?.setNoFilter(new sharedPb.Empty());
    const events = await readInTime(request, streams);
    const kept: ServerEvent[] = [];
    let seen = after;
    for (const event of events) {
      const position = logPosition(event);
      if (after !== null && !isAfter(position, after)) continue;
      if (kept.length === limit) break;
      seen = position;
      const name = streamNameOf(event);
      if (prefixes.some((wanted) => name.startsWith(wanted))) kept.push(event);
    }
    if (seen === null) return { events: [], cursor: null, position: 0n, atEnd: true };
    const last = events.at(-1);
    const whole =
      events.length <= UNFILTERED_PAGE && (last === undefined || samePosition(logPosition(last), seen));
    return pageOf(kept, seen, whole);
  }

  function pageOf(events: readonly ServerEvent[], reached: LogPosition, atEnd: boolean): Page {
    return {
      events: events.map((event) => recordedEvent(event, prefix)),
      cursor: toCursor(reached),
      position: reached.commit,
      atEnd,
    };
  }

  return { readStream, readRevisions, head, readAll };
}

function readRequest(direction: 0 | 1, count: number): streamsPb.ReadReq {
  const options = new Options()
    .setReadDirection(direction)
    .setCount(String(count))
    .setResolveLinks(false)
    .setUuidOption(new Options.UUIDOption().setString(new sharedPb.Empty()))
    .setNoFilter(new sharedPb.Empty());
  return new streamsPb.ReadReq().setOptions(options);
}

function pageRequest(after: LogPosition | null, count: number): streamsPb.ReadReq {
  const place = new Options.AllOptions();
  if (after === null) place.setStart(new sharedPb.Empty());
  else {
    const position = new Options.Position().setCommitPosition(String(after.commit));
    place.setPosition(position.setPreparePosition(String(after.prepare)));
  }
  const request = readRequest(FORWARDS, count);
  request.getOptions()?.setAll(place);
  return request;
}

/** Streams whose names begin with one of these. */
export function streamFilter(prefixes: string[], count = 0): streamsPb.ReadReq.Options.FilterOptions {
  return new Options.FilterOptions()
    .setStreamIdentifier(new Options.FilterOptions.Expression().setPrefixList(prefixes))
    .setMax(Math.max(SEARCH_WINDOW, count + 1))
    .setCheckpointintervalmultiplier(1);
}
