import { describe, expect, test } from 'vitest';
import remove from '../../../src/actions/package/remove.ts';
import { dnfFetch, dnfRemove, dnfRestore, TAKES_MORE } from '../../../src/actions/package/remove-scripts.ts';
import { fileStat } from '../../../src/facts/file-stat.ts';
import { type PackageRemoval, packageRemoval } from '../../../src/facts/package-removal.ts';
import { packageVersion } from '../../../src/facts/package-version.ts';
import { unitState } from '../../../src/facts/unit-state.ts';
import { factOf, siteOf } from '../../kit/facts.ts';

const dwh = {
  ...{ name: 'dwh', version: '4.5.9-1', inRepository: true, auto: false, bytes: 1000, conf: ['/etc/dwh.conf'] },
  units: [{ name: 'dwhd.service', active: true, enabled: 'enabled' }],
};
const removal = (more: Partial<PackageRemoval> = {}): PackageRemoval => ({
  packages: [{ ...dwh, units: [] }],
  takes: [],
  brings: [],
  refused: null,
  ...more,
});

function plan(
  found: PackageRemoval | undefined,
  given: object = {},
  more: { unit?: { active: boolean; moving: boolean; enabled: string }; installed?: boolean; isLater?: boolean } = {},
) {
  const params = remove.params.parse({ packages: ['dwh', 'other'], ...given });
  const { installed = found !== undefined, isLater = false } = more;
  return remove.plan(
    params,
    {
      packages: params.packages.map((name) =>
        factOf(packageVersion(name).on('one'), installed && name === 'dwh' ? { version: '4.5.9-1' } : undefined, {
          read: !isLater,
        }),
      ),
      units: params.units.map((name) => factOf(unitState(name).on('one'), more.unit)),
      keep: params.keep.map((path) => factOf(fileStat(path).on('one'), undefined)),
      removal: factOf(packageRemoval(params.packages).on('one'), found),
    },
    siteOf('one'),
  );
}

describe('package.remove', () => {
  test('keeps the package and its conf files, and undo installs that version', () => {
    const planned = plan(removal(), { keep: ['/etc/dwh.d'] });
    expect(planned).toMatchObject({
      kind: 'change',
      summary: 'remove dwh 4.5.9-1',
      outputs: { removed: ['dwh'] },
      undo: { packages: [{ name: 'dwh', version: '4.5.9-1', auto: false }], units: [], lost: null },
      opaque: true,
    });
    if (planned.kind !== 'change') throw new Error('no change');
    expect(planned.irreversible).toBeUndefined();
    expect(planned.keep.map((keep) => [keep.name, 'print' in keep && keep.print.text.includes('/etc/dwh.d')])).toEqual([
      ['packages', false],
      ['conf', true],
    ]);
    expect(planned.predicts[0]).toMatchObject({ key: 'packageVersion(dwh)', to: { state: 'absent' } });
  });

  test.each([
    ['others would go along', removal({ takes: ['dwh-grafana'] }), 'removing dwh on one would take dwh-grafana along'],
    ['something would come', removal({ brings: ['mta'] }), 'removing dwh on one would install mta'],
    ['apt refuses', removal({ refused: 'dpkg was interrupted' }), 'dwh cannot be removed on one: dpkg was interrupted'],
    ['its unit runs', removal({ packages: [dwh] }), 'dwhd.service still runs on one'],
    [
      'no repository has that version',
      removal({ packages: [{ ...dwh, units: [], inRepository: false }] }),
      'no repository of one has dwh 4.5.9-1 any more: removed, it could not come back',
    ],
  ])('is refused in the plan where %s', (_, found, summary) => {
    expect(plan(found)).toMatchObject({ kind: 'blocked', summary });
  });

  test('for good only when that is asked for, and then it cannot be taken back', () => {
    const planned = plan(removal({ packages: [{ ...dwh, units: [], inRepository: false }] }), { requireUndo: false });
    expect(planned).toMatchObject({
      kind: 'change',
      irreversible: 'no repository of one has dwh 4.5.9-1 any more',
      undo: { lost: 'no repository of one has dwh 4.5.9-1 any more' },
      keep: [{ name: 'conf' }],
    });
  });

  test('a unit that an earlier step stops is no obstacle, and starts at boot afterwards as it does then', () => {
    const unit = { active: false, moving: false, enabled: 'disabled' };
    expect(plan(removal({ packages: [dwh] }), { units: ['dwhd'] }, { unit })).toMatchObject({
      kind: 'change',
      undo: { units: [{ name: 'dwhd.service', enabled: 'disabled' }] },
    });
    expect(plan(removal({ packages: [dwh] }), { units: ['dwhd'] }, { unit: { ...unit, active: true } })).toMatchObject({
      kind: 'blocked',
    });
  });

  test('what is not installed is left alone; what an earlier step installs is asked about when it is there', () => {
    expect(plan(undefined)).toMatchObject({ kind: 'no-change', summary: 'not installed' });
    expect(plan(undefined, {}, { installed: true, isLater: true })).toMatchObject({ kind: 'change', undo: { packages: [] } });
    expect(plan(undefined, {}, { installed: true })).toMatchObject({ kind: 'blocked' });
  });
});

test('dnf removes nothing that is not named, fetches the installed version, and brings it back from its file', () => {
  expect(dnfRemove(['dwh'], '/kept').text).toBe(`set -- dwh
more=$(rpm -e --test -- "$@" 2>&1) || { echo "$more"; exit ${TAKES_MORE}; }
k=/kept; [ ! -e "$k" ] || : >"$k.begun"
dnf -q -y --setopt=clean_requirements_on_remove=False remove -- "$@"`);
  expect(dnfFetch([{ name: 'dwh', version: '4.5.9-1.el9', auto: false }]).text).toBe(
    `dnf -q -y reinstall --downloadonly --downloaddir=. -- dwh-4.5.9-1.el9`,
  );
  expect(dnfRestore().text).toBe(`dnf -q -y --setopt=install_weak_deps=False install ./*.rpm
! gone || dnf -q -y reinstall ./*.rpm`);
});
