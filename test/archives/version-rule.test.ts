import { describe, expect, it } from 'vitest';
import { versionRefused } from '../../src/archives/version-rule.ts';

describe('which version may restore an archive', () => {
  it.each([
    ['4.5.7', '4.5.7'],
    ['4.5.7', '4.5.10'],
    ['4.4.10.7', '4.5.0'],
    ['4.3.10', '4.5.8'],
    ['4.3.11.4', '4.5.8'],
    ['4.4.1', '4.4.10'],
  ])('made by %s, %s may', (made, installed) => {
    expect(versionRefused(made, installed)).toBeNull();
  });

  it.each([
    ['4.5.9', '4.5.8', 'newer'],
    ['4.5.10', '4.5.9', 'newer'],
    ['4.3.9', '4.5.8', '4.3.10'],
    ['4.3.10', '4.4.1', 'installed'],
    ['4.5.0', '4.4.10', 'installed'],
    ['3.6.7', '4.5.0', 'installed'],
    ['4.3.9', '4.3.9', '4.3.10'],
    ['', '4.5.0', 'does not say'],
    [null, '4.5.0', 'does not say'],
  ])('made by %s, %s may not', (made, installed, why) => {
    expect(versionRefused(made, installed)).toContain(why);
  });
});
