/** API keys without their secrets: to be listed. Who may do what is decided from the streams themselves (rule 19). */
export const apiKeysDdl = `
create table if not exists $schema.api_keys (
  id text collate "C" primary key,
  name text not null,
  scopes text[] not null,
  account text,
  created_at timestamptz not null,
  revoked_at timestamptz
);
`;
