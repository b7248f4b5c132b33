/** What a newcomer sees: where the ledger is, the key, and three calls that do something. */

export interface Greeting {
  readonly url: string;
  readonly events: string;
  readonly reads: string;
  readonly newAdminKey: string | null;
}

export function greet({ url, events, reads, newAdminKey }: Greeting): string {
  const key = newAdminKey ?? '…';
  const keyLine =
    newAdminKey === null
      ? '  admin key   LEDGER_ADMIN_KEY where it is set, or the one that the first start printed'
      : `  admin key   ${newAdminKey}\n              shown this once: keep it`;
  return `
  Tallystick  ${url}  (reference: ${url}/docs)
  events      ${events}
  reads       ${reads}
${keyLine}

  Three calls to try:

  export KEY=${key}
  curl -X PUT ${url}/v1/price-books/default -H "Authorization: Bearer $KEY" -H 'Content-Type: application/json' -d '{"models":{"gpt-4o":{"prices":{"input_tokens":{"credits":"2.5","per":1000},"output_tokens":{"credits":"10","per":1000}}}}}'
  curl -X POST ${url}/v1/accounts -H "Authorization: Bearer $KEY" -H 'Content-Type: application/json' -d '{"id":"acme","overdraft_limit":"100"}'
  curl -X POST ${url}/v1/usage -H "Authorization: Bearer $KEY" -H 'Content-Type: application/json' -d '{"id":"call-1","account":"acme","model":"gpt-4o","usage":{"input_tokens":1200,"output_tokens":350}}'

  Ctrl-C stops it; what was acknowledged is kept.
`;
}
