/** What the caller gave cannot be used: said in one line, and the demo ends with 2 before anything was posted. */
export class BadInput extends Error {
  override readonly name = 'BadInput';
}
