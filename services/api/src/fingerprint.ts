/**
 * What makes two requests with one id the same (rule 14): the fields that the client sent, in canonical amounts and
 * times, without metadata, mode and whatever was defaulted. `1:` is the version of this recipe: stored for ever.
 */
import { hash } from 'node:crypto';
import { canonical } from '@tallystick/domain';

export function fingerprint(fields: object): string {
  return `1:${hash('sha256', canonical(fields), 'hex')}`;
}
