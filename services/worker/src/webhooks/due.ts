/**
 * Deliveries whose time has come, taken for an attempt. Whoever takes one has it until its lease is over: where that
 * process dies, another tries again. From an endpoint that rests nothing is taken; when its rest is over one delivery is,
 * by one process, to find out (billing rule 15).
 */
import type { WebhookScope } from '@tallystick/domain';
import type { Webhooks } from '@tallystick/webhooks';

export interface Due {
  readonly id: string;
  readonly lease: string;
  readonly endpoint: string;
  readonly url: string;
  readonly scope: WebhookScope;
  /** Null for a test. */
  readonly stream: string | null;
  readonly revision: string | null;
  readonly created_at: Date;
  /** Before this one. */
  readonly attempts: number;
  /** Its endpoint rests: this one finds out how it is. */
  readonly probe: boolean;
}

export interface Room {
  readonly now: number;
  /** Until when what is taken is ours. */
  readonly leaseUntil: number;
  /** In all. */
  readonly free: number;
  /** How many at a time an endpoint may have: one that is slow must not keep the others waiting. */
  readonly perEndpoint: number;
  /** Under way in this process, by endpoint. */
  readonly underWay: ReadonlyMap<string, number>;
}

/** Takes them all at once, so that no two processes take the same. */
export async function takeDue(webhooks: Webhooks, room: Room): Promise<Due[]> {
  const { pool, schema } = webhooks;
  const probes = await claimProbes(webhooks, room);
  const busy = [...room.underWay];
  const { rows } = await pool.query<Due>(
    `with busy as (select * from unnest($4::text[], $5::integer[]) as b(endpoint, count)),
     ready as materialized (
       select e.id, e.url, e.scope, e.open_until is not null as probe,
         case when e.id = any ($6) then 1 else greatest(0, $7 - coalesce(b.count, 0)) end as room
       from ${schema}.endpoints e left join busy b on b.endpoint = e.id
       where e.status = 'open' and e.paused is null and (e.open_until is null or e.id = any ($6))
       order by random()),
     taken as materialized (
       select x.id, r.url, r.scope, r.probe from ready r cross join lateral (
         select d.id from ${schema}.deliveries d
         where d.endpoint = r.id and d.status = 'pending' and d.next_attempt_at <= $1
         order by d.next_attempt_at limit r.room for update skip locked) x
       limit $3)
     update ${schema}.deliveries d set lease = gen_random_uuid(), next_attempt_at = $2
     from taken t where d.id = t.id
     returning d.id, d.lease, d.endpoint, t.url, t.scope, d.stream, d.revision, d.created_at, d.attempts, t.probe`,
    [
      new Date(room.now),
      new Date(room.leaseUntil),
      room.free,
      busy.map(([endpoint]) => endpoint),
      busy.map(([, count]) => count),
      probes,
      room.perEndpoint,
    ],
  );
  return rows;
}

/** Endpoints whose rest is over and for which something waits. They rest on meanwhile, for everybody else. */
async function claimProbes({ pool, schema }: Webhooks, { now, leaseUntil }: Room): Promise<string[]> {
  const { rows } = await pool.query<{ id: string }>(
    `update ${schema}.endpoints e set open_until = $2
     where e.status = 'open' and e.paused is null and e.open_until <= $1 and exists (
       select from ${schema}.deliveries d
       where d.endpoint = e.id and d.status = 'pending' and d.next_attempt_at <= $1)
     returning e.id`,
    [new Date(now), new Date(leaseUntil)],
  );
  return rows.map(({ id }) => id);
}
