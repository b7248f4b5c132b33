/**
 * Business keys by stream, for stores that do not enforce them (EventStoreDB). `key_coverage` says up to which revision
 * of a stream the index is complete: a look-up reads both in one statement, so from one snapshot (rule 3).
 */
export const keysDdl = `
create table if not exists $schema.stream_keys (
  stream text collate "C" not null,
  key text collate "C" not null,
  revision bigint not null,
  primary key (stream, key)
);
create table if not exists $schema.key_coverage (
  stream text collate "C" primary key,
  revision bigint not null
) with (fillfactor = 50);
`;
