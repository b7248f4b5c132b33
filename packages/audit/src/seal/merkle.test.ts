import fc from 'fast-check';
import t from 'tap';
import { fromHex, leafHash, pathOf, rootFrom, rootOf, toHex } from './merkle.ts';

/** The leaves and roots that Certificate Transparency's implementations test against, of RFC 6962. */
const LEAVES = ['', '\0', '\x10', ' !', '01', '@ABC', 'PQRSTUVW', '`abcdefghijklmno'];
const ROOTS = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];

t.test('roots are those of RFC 6962', async (t) => {
  const hashes = LEAVES.map(leafHash);
  ROOTS.forEach((root, index) => {
    t.equal(toHex(rootOf(hashes.slice(0, index + 1))), root, `${index + 1} leaves`);
  });
  t.throws(() => rootOf([]), /at least one leaf/);
});

t.test('a path is that of RFC 6962', async (t) => {
  t.same(pathOf(LEAVES.map(leafHash), 0).map(toHex), [
    '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
    '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
    '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
  ]);
});

const tree = fc
  .array(fc.string({ maxLength: 8 }), { minLength: 1, maxLength: 40 })
  .chain((contents) =>
    fc.record({ contents: fc.constant(contents), index: fc.nat({ max: contents.length - 1 }) }),
  );

t.test('every leaf of a tree of any size proves its root', async () => {
  fc.assert(
    fc.property(tree, ({ contents, index }) => {
      const leaves = contents.map(leafHash);
      const leaf = leaves[index] ?? leafHash('');
      const place = { index, size: leaves.length };
      const root = rootFrom(leaf, place, pathOf(leaves, index));
      return root !== null && toHex(root) === toHex(rootOf(leaves));
    }),
  );
});

t.test('another leaf, a changed or cut or longer path, and another place prove nothing', async () => {
  const damage = fc.record({ tree, at: fc.nat(), bit: fc.nat({ max: 255 }), other: fc.nat({ max: 60 }) });
  fc.assert(
    fc.property(damage, ({ tree: { contents, index }, at, bit, other }) => {
      // Different leaves: two equal ones prove each other's place.
      const leaves = contents.map((content, number) => leafHash(`${number} ${content}`));
      const root = toHex(rootOf(leaves));
      const [leaf = leafHash(''), path] = [leaves[index], pathOf(leaves, index)];
      const size = leaves.length;
      const proves = (...proof: Parameters<typeof rootFrom>): boolean => {
        const come = rootFrom(...proof);
        return come !== null && toHex(come) === root;
      };
      const flipped = (hex: string): Uint8Array => {
        const bytes = Uint8Array.from(fromHex(hex));
        bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        return bytes;
      };
      const place = { index, size };
      if (proves(flipped(toHex(leaf)), place, path)) return false;
      if (proves(leaf, place, [...path, leaf]) || proves(leaf, { index: size, size }, path)) return false;
      if (other !== index && proves(leaf, { index: other, size }, path)) return false;
      if (path.length === 0) return !proves(leaf, { index, size: size + 1 + other }, path);
      const changed = path.map((digest, n) => (n === at % path.length ? flipped(toHex(digest)) : digest));
      return !proves(leaf, place, changed) && !proves(leaf, place, path.slice(1));
    }),
  );
});
