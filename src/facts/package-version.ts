import { sh } from '../hosts/sh.ts';
import { absent, defineFact, unreadable, value } from './fact.ts';

/** The installed version of a package, of dpkg or rpm; absent when it is not installed. In a prediction null is any version. */
export const packageVersion = defineFact<[name: string], { readonly version: string | null }>({
  kind: 'packageVersion',
  class: 'state',
  script: (
    name,
  ) => sh`if command -v dpkg-query >/dev/null; then echo dpkg; dpkg-query -W -f='\${db:Status-Status} \${Version}\\n' -- ${name} 2>/dev/null || :
elif command -v rpm >/dev/null; then echo rpm; rpm -q --qf 'installed %{VERSION}-%{RELEASE}\\n' -- ${name} 2>/dev/null || :
else echo none; fi`,
  parse(answer) {
    const [tool, ...lines] = answer.stdout.trim().split('\n');
    if (answer.code !== 0 || (tool !== 'dpkg' && tool !== 'rpm')) return unreadable('neither dpkg nor rpm is there to ask');
    // dpkg prints a line per architecture; one that is only unpacked or left its conf files behind is not installed.
    const version = lines.map((line) => /^installed (\S+)$/.exec(line)?.[1]).find((found) => found !== undefined);
    return version === undefined ? absent : value({ version });
  },
  same: (before, after) => agree(before as never, after as never),
  meets: (read, predicted) => agree(read, predicted),
  show: (published) => (published as { version: string | null }).version ?? 'any version',
});

function agree(a: { version: string | null }, b: { version: string | null }): boolean {
  return a.version === null || b.version === null || a.version === b.version;
}
