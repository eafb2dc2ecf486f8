import { ArchiveFault } from '../../archives/archive-fault.ts';
import { DATABASES, FILES, HASH_LISTS, PARTS, SAVED_PATHS } from '../../archives/backup-layout.ts';
import type { Compressor } from '../../archives/decompress.ts';
import type { SeenBackup, SeenDump, SeenFiles, SeenMember } from '../../archives/seen-backup.ts';
import { type Sh, sh } from '../../hosts/sh.ts';

const DUMPS = DATABASES.map(({ member }) => member);

/** Shell functions: `z FILE` names the compressor of a file by its bytes, `dec FILE` prints the file without it. */
export const DECOMPRESS: Sh = sh`z() { case "$(od -An -N6 -tx1 <"$1" | tr -d ' \\n')" in 1f8b*) echo gzip ;; fd377a585a00) echo xz ;; 425a68*) echo bzip2 ;; *) echo none ;; esac; }
dec() { case "$(z "$1")" in none) cat <"$1" ;; *) "$(z "$1")" -dc <"$1" ;; esac; }
whole() { case "$(z "$1")" in none) : ;; *) "$(z "$1")" -t <"$1" ;; esac; }`;

/**
 * Unpacks an archive into the folder `$d`, which is made anew, and prints what was seen, a line a thing, values in base64; nothing in it is run. Members that are no
 * files or folders are told and not unpacked.
 */
export function unpackScript(path: string, into: string): Sh {
  return sh`umask 077; f=${path}; d=${into}; rm -rf -- "$d.part"; mkdir -m 0700 -- "$d.part" || exit 1; cd "$d.part" || exit 1
${DECOMPRESS}
b() { printf %s "$1" | base64 -w0; }
why() { [ -z "$1" ] || b "$(printf '%s\\n' "$1" | grep . | head -n 1 | head -c 300)"; }
echo "seen compressor $(z "$f")"
e=$(whole "$f" 2>&1) || { e=\${e:-it is cut}; echo "seen fault $(why "$e")"; exit 0; }
if ! dec "$f" | tar --quoting-style=literal --full-time -tvf - >list 2>said; then
echo "seen fault $(why "$(cat said)")"; exit 0; fi
if [ "$(wc -l <list)" -gt 1000 ]; then echo "seen fault $(why 'it has more than 1000 members')"; exit 0; fi
sed -n 's/^\\([^-d]\\)[^ ]* .* [0-9:.]* \\(.*\\)$/\\1 \\2/p' list | while read -r t n; do echo "seen odd $(b "$t") $(b "$n")"; done
sed -n 's/^\\([-d]\\)[^ ]* .* [0-9:.]* \\(.*\\)$/\\2/p' list | sed 's:^\\./::; s:/$::' | LC_ALL=C sort | uniq -d | while read -r n; do echo "seen twice $(b "$n")"; done
sed -n 's/^[-d][^ ]* .* [0-9:.]* \\(.*\\)$/\\1/p' list | grep -E '^/|(^|/)\\.\\.(/|$)' | head -n 5 | while read -r n; do echo "seen unsafe $(b "$n")"; done
mkdir m && cd m || exit 1
dec "$f" | tar --no-same-owner -xpf - 2>/dev/null || { echo "seen fault $(why 'tar cannot unpack it')"; exit 0; }
find . -mindepth 1 ! -type f ! -type d -delete
find . -mindepth 1 -type f | sed 's:^\\./::' | LC_ALL=C sort | while read -r n; do
echo "seen file $(b "$n") $(stat -c %s -- "$n") $(sha256sum <"$n" | cut -d' ' -f1) $(md5sum <"$n" | cut -d' ' -f1)"; done
for n in ${[...PARTS, ...HASH_LISTS]}; do [ ! -f "$n" ] || echo "seen text $(b "$n") $(head -c 65536 -- "$n" | base64 -w0)"; done
for n in ${DUMPS}; do [ -s "$n" ] || continue
h=$(dec "$n" 2>/dev/null | head -c 40 | base64 -w0); e=
case "$(dec "$n" 2>/dev/null | head -c 20 | tr -d '\\000')" in
PGDMP*) t=custom; if command -v pg_restore >/dev/null 2>&1; then e=$(dec "$n" | pg_restore -f /dev/null 2>&1) || e=\${e:-cut}; else e='no pg_restore'; fi ;;
'SQLite format 3'*) t=sqlite ;;
--*) t=plain; dec "$n" 2>/dev/null | tail -c 512 | grep -q '^-- PostgreSQL database dump complete$' || e='it does not end with the line that ends a finished one; pg_dump was cut off' ;;
*) t=unknown; e='it is neither a dump in custom format nor one in plain SQL' ;; esac
[ -n "$e" ] || e=$(whole "$n" 2>&1) || e=\${e:-cut}
echo "seen dump $n $t $(z "$n") $(dec "$n" 2>/dev/null | wc -c) $(why "$e")"; done
if [ -s ${FILES} ]; then
e=$(whole ${FILES} 2>&1) || e=\${e:-cut}
dec ${FILES} 2>/dev/null | tar --quoting-style=literal -tf - >../names 2>../said || e=$(head -n 1 ../said)
echo "seen files $(z ${FILES}) $(wc -l <../names) $(why "$e")"
{ grep -E '^/|(^|/)\\.\\.(/|$)' ../names; dec ${FILES} 2>/dev/null | tar --quoting-style=literal -tvf - 2>/dev/null | grep '^[bc]' | sed 's/.* //'; } | head -n 5 | while read -r n; do echo "seen files-unsafe $(b "$n")"; done
grep -Ev ${`^(${SAVED_PATHS.join('|')})(/|$)`} ../names | head -n 5 | while read -r n; do echo "seen files-foreign $(b "$n")"; done
dec ${FILES} 2>/dev/null | tar --wildcards -xOf - 'etc/ovirt-engine-setup.conf.d/*.conf' 2>/dev/null | sed -n 's/^\\(OVESETUP_[A-Z_]*_CORE\\/enable\\)=bool:True$/seen enabled \\1/p' | LC_ALL=C sort -u
rm -f ../names ../said; fi
echo 'seen end 0'`;
}

/** Gives the unpacked members their place: what was seen is right. */
export function placeUnpacked(into: string): Sh {
  return sh`d=${into}; [ -d "$d" ] || { chmod 0700 -- "$d.part/m" && mv -T -- "$d.part/m" "$d" && rm -rf -- "$d.part"; }`;
}

/** What the script above has printed, as an archive that was looked at. */
export function seenOnHost(stdout: string): SeenBackup {
  const lines = stdout.split('\n').flatMap((line) => (line.startsWith('seen ') ? [line.split(' ').slice(1)] : []));
  const of = (kind: string) => lines.filter(([first]) => first === kind).map(([, ...rest]) => rest);
  const text = (base64 = '') => Buffer.from(base64, 'base64').toString('utf8');
  const fault = (base64: string | undefined) => (base64 ? faultOf(text(base64)) : null);
  const none = { mode: 0, owner: '', group: '', link: null };
  const file = ([name, size, sha256 = '', md5 = '']: string[]): SeenMember => ({
    ...{ name: text(name), type: 'file', sizeBytes: Number(size), sha256, md5, ...none },
  });
  const bare = (name: string, type: SeenMember['type']): SeenMember => ({
    name,
    type,
    sizeBytes: 0,
    sha256: null,
    md5: null,
    ...none,
  });
  const [files] = of('files');
  const cut = of('end').length === 0 && of('fault').length === 0 ? new ArchiveFault('it was not read to its end') : null;
  return {
    compressor: (of('compressor')[0]?.[0] ?? 'none') as Compressor,
    members: [
      ...of('file').map(file),
      ...of('twice').map(([name]) => bare(text(name), 'folder')),
      ...of('odd').map(([type, name]) => bare(text(name), KINDS[text(type)] ?? 'unknown')),
      ...of('unsafe').map(([name]) => bare(text(name), 'folder')),
    ],
    texts: new Map(of('text').map(([name, content]) => [text(name), text(content)])),
    dumps: of('dump').map(([member = '', format, compressor, size, why]): SeenDump => {
      const seen = { server: null, client: null, database: null, isWhole: null };
      return {
        ...seen,
        ...{ member, format: format as SeenDump['format'], compressor: compressor as Compressor, sizeBytes: Number(size) },
        fault: fault(why),
      };
    }),
    files: files ? filesOf(files, of, text, fault) : null,
    fault: fault(of('fault')[0]?.[0]) ?? cut,
  };
}

const KINDS: Readonly<Record<string, SeenMember['type']>> = { l: 'link', h: 'hard link', b: 'device', c: 'device', p: 'pipe' };

function filesOf(
  [compressor, members, why]: readonly string[],
  of: (kind: string) => string[][],
  text: (base64?: string) => string,
  fault: (base64: string | undefined) => ArchiveFault | null,
): SeenFiles {
  const names = (kind: string) => of(kind).map(([name]) => text(name));
  const unsafe = names('files-unsafe').map((name) => ({ name, why: 'it leads elsewhere, or is a device' }));
  const foreign = names('files-foreign');
  return {
    compressor: compressor as Compressor,
    members: Number(members),
    sizeBytes: 0,
    unsafe: { first: unsafe, count: unsafe.length },
    foreign: { first: foreign, count: foreign.length },
    enabled: of('enabled').map(([key = '']) => key),
    fault: fault(why),
  };
}

function faultOf(why: string): ArchiveFault {
  const isOurs = why === 'no pg_restore' || /unsupported version|not found$/.test(why);
  return new ArchiveFault(why.replace(/^(\/bin\/)?(sh|tar|gzip|xz|bzip2|pg_restore)(: \d+)?: (error: )?/, ''), { isOurs });
}
