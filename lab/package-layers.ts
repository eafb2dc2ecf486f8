import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { cachedLayer } from './cached-layer.ts';
import { INSTALLED, labPackages, type Package } from './packages.ts';
import { openRootFiles } from './root-files.ts';
import { runInRoot } from './run-in-root.ts';

const BUILD = '/srv/build';
/** Packs every tree, and has apt find the packages: their descriptions follow those that the base's own repository has. */
const PACK = `cd /srv/lab-repo
for tree in ${BUILD}/*; do dpkg-deb --build --root-owner-group -Zgzip $tree . >/dev/null; done
rm -rf ${BUILD}
: >Packages
for f in *.deb; do
  dpkg-deb -f "$f" >>Packages
  printf 'Filename: ./%s\\nSize: %s\\nSHA256: %s\\n\\n' "$f" "$(stat -c %s "$f")" "$(sha256sum "$f" | cut -d' ' -f1)" >>Packages
done
apt-get update -q >/dev/null
`;
const INSTALL = `DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends ${INSTALLED.join(' ')} >/dev/null`;

/** Cached layers over the base root: the repository with the packages of stand-ins, and what an engine host has of them installed. */
export type PackageLayers = { readonly repository: string; readonly installed: string };

/** Builds what the cache has not for these packages and this base (about 5 s). */
export async function packageLayers(baseFolder: string, say: (line: string) => void): Promise<PackageLayers> {
  const packages = await labPackages();
  const digest = createHash('sha256')
    .update(JSON.stringify([packages, PACK, INSTALL]))
    .digest('hex')
    .slice(0, 8);
  const base = join(baseFolder, 'root');
  const repository = await cachedLayer({
    layer: join(baseFolder, `packages-${digest}`),
    lowers: [base],
    lock: 'packages',
    doing: 'packing the stand-ins',
    done: 'stand-ins packed',
    say,
    make: async (root) => {
      for (const one of packages) await writeTree(root, one);
      await runInRoot(root, PACK, 'pack the stand-ins');
    },
  });
  const installed = await cachedLayer({
    layer: join(baseFolder, `installed-${digest}`),
    lowers: [repository, base],
    lock: 'installed',
    doing: 'installing the stand-ins of the engine host',
    done: 'stand-ins installed',
    say,
    make: async (root) => {
      await runInRoot(root, INSTALL, 'install the stand-ins');
    },
  });
  return { repository, installed };
}

async function writeTree(root: string, { name, version, control, files, folders }: Package): Promise<void> {
  const into = await openRootFiles(root);
  const tree = `${BUILD}/${name}_${version}`;
  for (const folder of folders) await into.folder(`${tree}${folder}`);
  for (const { path, text, mode } of files) await into.write(`${tree}${path}`, text, { mode });
  for (const { path, text, mode } of control) await into.write(`${tree}/DEBIAN/${path}`, text, { mode });
}
