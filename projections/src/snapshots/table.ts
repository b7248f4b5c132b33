/** Folded streams, by the decider's own fold, so that a cold load is flat however long a stream is (rule 11). */
export const snapshotsDdl = `
create table if not exists $schema.snapshots (
  stream text collate "C" not null,
  fold_version integer not null,
  revision bigint not null,
  hash text not null,
  state text not null,
  primary key (stream, fold_version)
);
`;
