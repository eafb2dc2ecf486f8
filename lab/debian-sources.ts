import { runCommand } from './command.ts';

/** The Debian release that lab hosts run. */
export const SUITE = 'bookworm';

/**
 * How to reach a Debian mirror from here: this machine's own apt sources of the release, and its proxy and validity settings.
 * `sources` is empty on a machine that has none of that release; mmdebstrap then uses its built-in default.
 */
export async function debianSources(): Promise<{ sources: string[]; aptOptions: string[] }> {
  const format = '$(ORIGIN)|$(REPO_URI)|$(RELEASE)|$(COMPONENT)';
  const targets = await runCommand(['apt-get', 'indextargets', '--format', format, 'Created-By: Packages']);
  const sources = targets.stdout
    .split('\n')
    .map((line) => line.split('|'))
    .filter(([origin, , release]) => origin === 'Debian' && release !== undefined && release.startsWith(SUITE))
    .map(([, uri, release, component]) => `deb ${uri} ${release} ${component}`);
  const config = await runCommand(['apt-config', 'dump', '--format', '%f "%v";%n', 'Acquire']);
  const aptOptions = config.stdout
    .split('\n')
    .filter((line) => /^Acquire::(https?::|Check-|Retries)/.test(line) && !line.includes('""'));
  return { sources: [...new Set(sources)], aptOptions };
}
