import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import put from '../../../src/actions/file/put.ts';
import remove from '../../../src/actions/file/remove.ts';
import { pathFacts } from '../../../src/actions/path-facts.ts';
import { replaceFile, restoreFile, restoreScript } from '../../../src/actions/replace-file.ts';
import { contentOf, type FileContent } from '../../../src/facts/file-content.ts';
import { type FileStat, fileStat, somethingThere } from '../../../src/facts/file-stat.ts';
import { folderOthers } from '../../../src/facts/folder-others.ts';
import type { ActingHost } from '../../../src/hosts/host.ts';
import { Secret } from '../../../src/hosts/secret.ts';
import { sh } from '../../../src/hosts/sh.ts';
import { factOf, siteOf } from '../../kit/facts.ts';
import { actContext, localHost } from '../../kit/local-host.ts';
import { withFolder } from '../../kit/read-here.ts';

const site = siteOf('engine');
const root = { mode: '0600', owner: 'root', group: 'root' };
const folder: FileStat = { ...somethingThere, type: 'folder' };

describe('file.put', () => {
  const plan = (params: object, before: FileContent | undefined, parent: FileStat | undefined = folder) => {
    const refs = pathFacts('engine', '/srv/x/a');
    const facts = {
      content: factOf(refs.content, before),
      stat: factOf(refs.stat, undefined),
      folder: [],
      parent: factOf(fileStat('/srv/x').on('engine'), parent),
    };
    return put.plan(put.params.parse({ path: '/srv/x/a', content: 'new\n', ...params }), facts, site);
  };

  test('a new file is removed by undo, an old one comes back', () => {
    expect(plan({}, undefined)).toMatchObject({ summary: 'make /srv/x/a (4 B, 0600 root:root)', undo: { was: null }, keep: [] });
    expect(plan({}, contentOf('old\n', { ...root, mode: '0644' }))).toMatchObject({
      undo: { path: '/srv/x/a', was: { mode: '0644', owner: 'root', group: 'root' } },
      keep: [{ path: '/srv/x/a' }],
    });
  });

  test('the same bytes, mode and owner are no change; another mode is one', () => {
    expect(plan({}, contentOf('new\n', root))).toMatchObject({ kind: 'no-change' });
    expect(plan({ mode: '0644', owner: 'ovirt' }, contentOf('new\n', root))).toMatchObject({
      diff: [
        ['~', 'mode ', '0600', '0644'],
        ['~', 'owner ', 'root', 'ovirt'],
      ],
    });
  });

  test('the diff has the lines that differ, in their place; secret content is not shown', () => {
    const before = contentOf('a=1\nb=2\nc=3\n', { ...root, mode: '0644' });
    expect(plan({ content: 'a=1\nb=5\nc=3\n', mode: '0644' }, before)).toMatchObject({
      diff: [
        ['@', '@@ -1,3 +1,3 @@'],
        [' ', 'a=1'],
        ['-', 'b=2'],
        ['+', 'b=5'],
        [' ', 'c=3'],
      ],
    });
    const hidden = plan({ content: new Secret('hunter2', 'input:p') }, undefined);
    if (hidden.kind !== 'change') throw new Error('no change');
    expect(JSON.stringify({ ...hidden, predicts: [] })).not.toContain('hunter2');
  });

  test('a missing folder blocks', () => {
    const refs = pathFacts('engine', '/srv/x/a');
    const facts = {
      content: factOf(refs.content, undefined),
      stat: factOf(refs.stat, undefined),
      folder: [],
      parent: factOf(fileStat('/srv/x').on('engine'), undefined),
    };
    expect(put.plan(put.params.parse({ path: '/srv/x/a', content: '' }), facts, site)).toMatchObject({ kind: 'blocked' });
  });
});

describe('replacing and restoring a file', () => {
  test('mode and owner hold, and nothing else stays in the folder', () =>
    withFolder(async (dir) => {
      const path = `${dir}/it's.conf`;
      writeFileSync(path, 'old');
      writeFileSync(`${dir}/.it's.conf.ferry-abcdef`, 'left by an attempt that died');
      await replaceFile(localHost(), 'put', path, new Secret('new $`"\n', 'input:p'), { ...root, mode: '0640' });
      expect(readFileSync(path, 'utf8')).toBe('new $`"\n');
      expect((statSync(path).mode & 0o7777).toString(8)).toBe('640');
      expect(readdirSync(dir)).toEqual(["it's.conf"]);
    }));

  test('what is prepared is led nowhere else by who owns the folder around it', () =>
    withFolder(async (dir) => {
      // Swaps what was made for a link, as somebody quick could.
      const swap = `p=$(/usr/bin/mktemp "$@"); mv "$p" "$p.aside"; ln -s "${dir}/etc$([ "$1" = -d ] || echo /shadow)" "$p"; echo "$p"`;
      for (const name of ['bin', 'etc', 'home']) mkdirSync(`${dir}/${name}`, { mode: 0o700 });
      writeFileSync(`${dir}/bin/mktemp`, `#!/bin/sh\n${swap}\n`, { mode: 0o755 });
      writeFileSync(`${dir}/etc/shadow`, 'secret', { mode: 0o640 });
      const on = localHost();
      const change: ActingHost['change'] = (name, script, more) =>
        on.change(name, sh`PATH=${`${dir}/bin`}:$PATH; ${script}`, more);
      const swapped = { ...on, change };
      await expect(replaceFile(swapped, 'put', `${dir}/home/a`, 'new', root)).rejects.toMatchObject({
        message: expect.stringContaining(`somebody else writes in ${dir}/home`),
      });
      expect([readdirSync(`${dir}/etc`), readFileSync(`${dir}/etc/shadow`, 'utf8')]).toEqual([['shadow'], 'secret']);
      expect(statSync(`${dir}/etc/shadow`).mode & 0o777).toBe(0o640);
    }));

  test('bytes that were cut on the way leave the old file', () =>
    withFolder(async (dir) => {
      writeFileSync(`${dir}/a`, 'old');
      const host = localHost();
      const cutting = {
        ...host,
        change: (name: string, script: never) => host.change(name, script, { stdin: 'ne', okCodes: [0, 75] }),
      };
      await expect(replaceFile(cutting, 'put', `${dir}/a`, 'new', root)).rejects.toMatchObject({ code: 'BYTES_CUT' });
      expect([readFileSync(`${dir}/a`, 'utf8'), readdirSync(dir)]).toEqual(['old', ['a']]);
    }));

  test('undo brings bytes, mode and owner back, and may run twice', () =>
    withFolder(async (dir) => {
      writeFileSync(`${dir}/before`, 'old');
      writeFileSync(`${dir}/a`, 'new');
      const undo = { path: `${dir}/a`, was: { ...root, mode: '0604' } };
      for (const on of [localHost(), localHost()]) await restoreFile({ on, undo, ctx: actContext(dir) });
      expect([readFileSync(`${dir}/a`, 'utf8'), (statSync(`${dir}/a`).mode & 0o7777).toString(8)]).toEqual(['old', '604']);
    }));

  test('undo of a file that was not there removes it, and leaves one alone that was never kept', () =>
    withFolder(async (dir) => {
      writeFileSync(`${dir}/a`, 'new');
      await localHost().change('x', restoreScript({ path: `${dir}/a`, was: root }, `${dir}/never-kept`));
      expect(existsSync(`${dir}/a`)).toBe(true);
      await localHost().change('x', restoreScript({ path: `${dir}/a`, was: null }, `${dir}/none`));
      expect(existsSync(`${dir}/a`)).toBe(false);
    }));
});

describe('file.remove', () => {
  /** `folders` may go once they are empty: whether other things are in them, or null where they are not there. */
  const plan = (
    paths: string[],
    stats: (FileStat | undefined)[],
    more: object = {},
    folders: Readonly<Record<string, boolean | null>> = {},
  ) => {
    const facts = {
      stats: paths.map((path, index) => factOf(fileStat(path).on('engine'), stats[index])),
      folders: paths.map(() => []),
      empty: Object.entries(folders).map(([path, others]) => ({
        stat: factOf(fileStat(path).on('engine'), others === null ? undefined : folder),
        others: factOf(folderOthers(path, []).on('engine'), others ?? false),
      })),
    };
    return remove.plan(remove.params.parse({ paths, emptyFolders: Object.keys(folders), ...more }), facts, site);
  };
  const file: FileStat = { ...root, type: 'file', sizeBytes: 1 };

  test('what is there goes and is kept; what is not is left out', () => {
    expect(plan(['/srv/a', '/srv/b'], [undefined, file])).toMatchObject({
      summary: 'remove /srv/b',
      keep: [{ name: 'path-1', path: '/srv/b' }],
      undo: { paths: [{ path: '/srv/b', keep: 'path-1' }] },
    });
    expect(plan(['/srv/a'], [undefined])).toMatchObject({ kind: 'no-change' });
  });

  test.each(['/', '/etc', '/usr/lib', '/var/log', '/proc/1', '/root', '/home'])('%s is never removed', (path) => {
    expect(plan([path], [folder], { recursive: true })).toMatchObject({ kind: 'blocked' });
  });

  test('a folder needs recursive', () => {
    expect(plan(['/srv/d'], [folder])).toMatchObject({ kind: 'blocked', hint: expect.stringContaining('recursive: true') });
    expect(plan(['/srv/d'], [folder], { recursive: true })).toMatchObject({ kind: 'change' });
  });

  test('undo puts a folder back whole after half of it was removed', () =>
    withFolder(async (dir) => {
      mkdirSync(`${dir}/d`);
      for (const name of ['one', 'two']) writeFileSync(`${dir}/d/${name}`, name);
      chmodSync(`${dir}/d/one`, 0o604);
      cpSync(`${dir}/d`, `${dir}/path-0`, { recursive: true });
      const half = localHost();
      await half.run({ text: `rm ${dir}/d/two` } as never);
      const undo = { paths: [{ path: `${dir}/d`, keep: 'path-0' }] };
      for (const on of [localHost(), localHost()])
        await remove.rollback?.({ ...site, on, onHost: () => on, undo, ctx: actContext(dir) });
      expect(readdirSync(`${dir}/d`)).toEqual(['one', 'two']);
      expect(readdirSync(dir)).toEqual(['d', 'path-0']);
    }));

  test('of folders that were made for a file only those go that nothing else is in', () => {
    const made = { '/srv/a': false, '/srv/a/b': false };
    expect(plan(['/srv/a/b/x.dump'], [file], { keep: false }, made)).toMatchObject({
      summary: 'remove /srv/a/b/x.dump, /srv/a/, /srv/a/b/',
      data: { paths: ['/srv/a/b/x.dump'], folders: ['/srv/a', '/srv/a/b'] },
      undo: { paths: [], folders: [] },
    });
    expect(plan(['/srv/a/b/x.dump'], [file], { keep: false }, { ...made, '/srv/a/b': true })).toMatchObject({
      summary: 'remove /srv/a/b/x.dump',
      diff: [
        [' ', '/srv/a/b/ stays: other things are in it'],
        [' ', '/srv/a/ stays: other things are in it'],
      ],
    });
    expect(plan(['/srv/a/x'], [undefined], {}, { '/srv/a': null })).toMatchObject({ kind: 'no-change' });
    expect(plan(['/srv/a/x'], [undefined], {}, { '/srv/a': false })).toMatchObject({ summary: 'remove /srv/a/' });
  });

  test('a folder is empty where nothing is in it beside the names that go', () =>
    withFolder(async (dir) => {
      const others = async (names: string[], path = dir) => {
        const ref = folderOthers(path, names).on('here');
        return ref.kind.parse(await localHost().run(ref.kind.script(...ref.args)), ...ref.args);
      };
      expect(await others([], `${dir}/none`)).toEqual({ state: 'value', value: false });
      for (const name of ['a*[b]', '.hidden', "it's"]) mkdirSync(`${dir}/${name}/deep`, { recursive: true });
      expect(await others(['a*[b]', '.hidden', "it's"])).toEqual({ state: 'value', value: false });
      expect(await others(['a*', '.hidden', "it's"])).toEqual({ state: 'value', value: true });
      expect(await others(['a*[b]', "it's"])).toEqual({ state: 'value', value: true });
    }));

  test('undo makes the folders that went with a file that was kept', () =>
    withFolder(async (dir) => {
      writeFileSync(`${dir}/path-0`, 'kept');
      const me = { owner: 'root', group: 'root' };
      const folders = [
        { path: `${dir}/a`, mode: '0711', ...me },
        { path: `${dir}/a/b`, mode: '0700', ...me },
      ];
      const undo = { paths: [{ path: `${dir}/a/b/x`, keep: 'path-0' }], folders };
      for (const on of [localHost(), localHost()])
        await remove.rollback?.({ ...site, on, onHost: () => on, undo, ctx: actContext(dir) });
      expect([readFileSync(`${dir}/a/b/x`, 'utf8'), (statSync(`${dir}/a`).mode & 0o777).toString(8)]).toEqual(['kept', '711']);
    }));

  test('undo leaves everything alone when nothing was kept', () =>
    withFolder(async (dir) => {
      mkdirSync(`${dir}/d`);
      const undo = { paths: [{ path: `${dir}/d`, keep: 'path-0' }] };
      await remove.rollback?.({ ...site, on: localHost(), onHost: () => localHost(), undo, ctx: actContext(dir) });
      expect(existsSync(`${dir}/d`)).toBe(true);
    }));
});
