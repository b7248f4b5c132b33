/**
 * Which seal covers which event. The digests of what a seal covers stay in its event: only a receipt needs them. Ranges
 * of a stream follow one another without a hole, so the first that ends at or after a revision is the one that has it.
 */
export const sealsDdl = `
create table if not exists $schema.seals (
  number bigint primary key,
  recorded_at timestamptz not null,
  root text not null,
  -- Of the seal's event in its chain: what customers and auditors keep.
  hash text not null,
  events bigint not null,
  ranges bigint not null,
  -- Text of its event to the byte, and the digest of the rest of it: with them its hash is made from the one before.
  data text not null,
  internal text not null
);
create table if not exists $schema.sealed_ranges (
  stream text collate "C" not null,
  to_revision bigint not null,
  from_revision bigint not null,
  seal bigint not null,
  primary key (stream, to_revision)
);
`;
