/**
 * How secrets lie in the database: encrypted with AES-256-GCM under the first key of LEDGER_SECRETS_KEY, or as they are
 * where there is no key. What was written under an earlier key, or under none, is still read. The owner of a secret is
 * part of what is sealed: a row that is copied to another endpoint does not open.
 */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';

export interface SecretBox {
  /** Whether what is written from now on is encrypted. */
  readonly encrypts: boolean;
  seal(owner: string, secret: string): string;
  /** @throws SecretUnreadable */
  open(owner: string, stored: string): string;
}

/** It was written under a key that this process does not have, or has been changed since. */
export class SecretUnreadable extends Error {
  constructor(owner: string, options?: ErrorOptions) {
    super(`a secret of ${owner} cannot be read: is its key in LEDGER_SECRETS_KEY?`, options);
    this.name = 'SecretUnreadable';
  }
}

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** 32 bytes in hex or base64; null where it is neither. */
export function readSecretKey(text: string): Buffer | null {
  const isHex = /^[0-9a-f]{64}$/i.test(text);
  if (!isHex && !/^[A-Za-z0-9+/_-]{43}=?$/.test(text)) return null;
  const key = Buffer.from(text, isHex ? 'hex' : 'base64');
  return key.length === KEY_BYTES ? key : null;
}

/** @param keys of 32 bytes; the first writes, all read. None: secrets are kept as they are */
export function createSecretBox(keys: readonly Buffer[]): SecretBox {
  const named = new Map(keys.map((key) => [nameOf(key), key]));
  const [first] = keys;
  return {
    encrypts: first !== undefined,
    seal: (owner, secret) => (first === undefined ? `plain:${secret}` : encrypt(first, owner, secret)),
    open(owner, stored) {
      const [how, name = '', text = ''] = stored.split(':', 3);
      if (how === 'plain') return stored.slice('plain:'.length);
      const key = named.get(name);
      if (how !== 'aes' || key === undefined) throw new SecretUnreadable(owner);
      try {
        return decrypt(key, owner, Buffer.from(text, 'base64'));
      } catch (cause) {
        throw new SecretUnreadable(owner, { cause });
      }
    },
  };
}

/** Tells keys apart without telling anything of them. */
const nameOf = (key: Buffer): string =>
  createHash('sha256').update('tallystick secrets').update(key).digest('hex').slice(0, 8);

function encrypt(key: Buffer, owner: string, secret: string): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(Buffer.from(owner));
  const sealed = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()]);
  const text = Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64');
  return `aes:${nameOf(key)}:${text}`;
}

function decrypt(key: Buffer, owner: string, stored: Buffer): string {
  const nonce = stored.subarray(0, NONCE_BYTES);
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.from(owner));
  decipher.setAuthTag(stored.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
  const opened = [decipher.update(stored.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()];
  return Buffer.concat(opened).toString('utf8');
}
