/** An event of a type that this code does not know stops its stream; it is never skipped (rule 11). */
export function unknownEvent(category: string, event: { readonly type: string }): Error {
  return new Error(`${category}: an event of a type this code does not know: ${event.type}`);
}

/** What the small deciders have in common: nothing falls due by itself, and their state is its own JSON. */
export const quiet = {
  dues: () => ({ events: [], more: false }),
  freeze: (state: object) => JSON.stringify(state),
  // The text was made by `freeze` of the same fold version (rule 11).
  thaw: <S>(_id: string, text: string) => JSON.parse(text) as S,
  weigh: () => 2_000,
};
