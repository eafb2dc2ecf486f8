import { type Sh, sh } from '../../hosts/sh.ts';

/** Exit code of `readPlainSql` for a file that is not a whole dump of one database; a line on stderr says why. */
export const NOT_A_DUMP = 65;

/** The word on the last line that is printed for psql: with it, all was read and committed. */
export const RESTORED = 'ferry-restored';

// A reader of SQL as psql splits it: statements, quoted texts, comments and the data of COPY, each to its own end. So no row
// and no body of a function passes for a statement. What is left out leaves empty lines, so that psql's line numbers stay true.
const READER = String.raw`
function stop(why) { print why > "/dev/stderr"; code = 65; exit 65 }
function plain(text) { raw = raw text; if (!passes || upper ~ /^CREATE /) skel = skel text }
function squeezed(text) { text = toupper(text); gsub(/[ \t\r\n]+/, " ", text); sub(/^ /, "", text); sub(/ $/, "", text); return text }
function show(text) { if (mode == "load") printf "%s", text }
function flush() { show(raw); raw = "" }

# Whether a statement that has come to its end is for the database: 1, or 0.
function wanted(u) {
  if (u == "") return 1
  whole = 0
  if (atomic) { if (u == "END") atomic = 0; return 1 }
  if (u ~ / BEGIN ATOMIC /) { atomic = 1; return 1 }
  if (u ~ /^(ROLLBACK|ABORT|END|SAVEPOINT|RELEASE|PREPARE TRANSACTION)( |$)/) stop("line " NR " ends or divides the transaction, which no dump does")
  if (u ~ /^(BEGIN|COMMIT|START TRANSACTION)( |$)/) return 0
  if (u ~ /^SET (SESSION AUTHORIZATION|ROLE|TRANSACTION_TIMEOUT)/ || u ~ /^RESET (SESSION AUTHORIZATION|ROLE)/) return 0
  if (u ~ /^SET CLIENT_ENCODING/ && toupper(raw) ~ /SJIS|SHIFT_JIS|BIG5|GBK|UHC|GB18030|JOHAB/) stop("it is written in an encoding no server keeps; make it with --encoding=UTF8")
  if (u ~ /^SET STANDARD_CONFORMING_STRINGS/) escapes = toupper(raw) ~ /OFF/
  if (u ~ /^(CREATE|DROP|ALTER|COMMENT ON) (EXTENSION|DATABASE) / || u ~ /^ALTER ROLE .* IN DATABASE /) return 0
  if (u ~ /^(CREATE|DROP|ALTER|COMMENT ON) SCHEMA (IF (NOT )?EXISTS )?PUBLIC( |$)/) return 0
  if (u ~ /^ALTER .* OWNER TO [^ ]+$/) return 0
  if (u ~ /^(GRANT|REVOKE) .* ON DATABASE /) return 0
  if (u ~ /^(GRANT|REVOKE|ALTER DEFAULT PRIVILEGES) /) { if (mode == "grants") print raw; if (u ~ /^A.* FOR (ROLE|USER) / && role != "") raw = "RESET ROLE; " raw " SET ROLE " role ";"; return privileges }
  if (u ~ /^COPY /) { if (u !~ / FROM STDIN( |$)/) stop("line " NR " copies to or from a file of the server, which no dump does"); copies = 1 }
  return 1
}
function ended() {
  plain(";")
  sub(/;$/, "", skel)
  if (wanted(squeezed(skel)) || passes) flush()
  else { gsub(/[^\n]/, "", raw); flush() }
  skel = ""; upper = ""; passes = 0
}

copying { if (mode == "load") print; if ($0 == "\\.") copying = 0; next }
{
  rest = $0
  if (within == "" && skel ~ /^[ \t\r\n]*$/) {
    if (rest ~ /^-- PostgreSQL database dump complete\r?$/) whole = 1
    if (rest ~ /^-- PostgreSQL database cluster dump/) stop("it is of a whole cluster, by pg_dumpall; make one of this database alone, by pg_dump")
    if (rest ~ /^\\((un)?restrict|encoding) [A-Za-z0-9_]+\r?$/ || rest ~ /^\\connect /) {
      if (rest ~ /^\\connect / && database != "" && rest != database) stop("line " NR " goes on to another database; make a dump of this one alone")
      if (rest ~ /^\\connect /) database = rest
      show("\n"); next
    }
  }
  while (rest != "") {
    if (within == "") {
      if (!match(rest, /['"$;\\]|--|\/\*/)) { plain(rest); break }
      plain(substr(rest, 1, RSTART - 1)); c = substr(rest, RSTART, RLENGTH); tail = substr(rest, RSTART); rest = substr(rest, RSTART + RLENGTH)
      if (c == ";") {
        ended()
        if (copies) { if (rest !~ /^[ \t\r]*$/) stop("line " NR " has more than COPY"); copies = 0; copying = 1 }
      }
      else if (c == "--") { raw = raw tail; break }
      else if (c == "/*") { raw = raw c; within = c; depth = 1 }
      else if (c == "\\") stop("line " NR " has a command of psql, " substr(tail, 1, 20) ", which no dump has")
      else if (c == "$") {
        if (raw ~ /[A-Za-z0-9_$\200-\377]$/ || !match(tail, /^\$([A-Za-z_\200-\377][A-Za-z0-9_\200-\377]*)?\$/)) plain(c)
        else { tag = substr(tail, 1, RLENGTH); raw = raw tag; skel = skel "''"; rest = substr(tail, RLENGTH + 1); within = "$" }
      }
      else { within = c; slashes = c == "'" && (escapes || raw ~ /(^|[^A-Za-z0-9_$\200-\377])[eE]$/); raw = raw c; skel = skel c c }
    }
    else if (within == "$") {
      if (!(at = index(rest, tag))) { raw = raw rest; break }
      raw = raw substr(rest, 1, at + length(tag) - 1); rest = substr(rest, at + length(tag)); within = ""
    }
    else if (within == "/*") {
      if (!match(rest, /\/\*|\*\//)) { raw = raw rest; break }
      depth += substr(rest, RSTART, 2) == "/*" ? 1 : -1
      raw = raw substr(rest, 1, RSTART + 1); rest = substr(rest, RSTART + 2)
      if (depth == 0) { within = ""; skel = skel " " }
    }
    else {
      if (!match(rest, slashes ? "['\\\\]" : within)) { raw = raw rest; break }
      c = substr(rest, RSTART, 1); skipped = c == "\\" || substr(rest, RSTART, 2) == within within ? 2 : 1
      raw = raw substr(rest, 1, RSTART + skipped - 1); rest = substr(rest, RSTART + skipped)
      if (skipped == 1) within = ""
    }
  }
  raw = raw "\n"
  if (!passes || upper ~ /^CREATE /) skel = skel " "
  if (!passes && skel !~ /^[ \t\r\n]*$/) {
    upper = squeezed(skel)
    passes = upper !~ /^(BEGIN|COMMIT|START|END|ROLLBACK|ABORT|SAVEPOINT|RELEASE|PREPARE|SET|RESET|DROP|ALTER|COMMENT|GRANT|REVOKE|COPY)( |$)/ && upper !~ /^CREATE( (EXTENSION|DATABASE|SCHEMA)( |$)|$)/
  }
  if (passes || (within == "" && skel ~ /^[ \t\r\n]*$/)) flush()
}
END {
  if (code) exit code
  if (within != "" || copying || atomic || skel !~ /^[ \t\r\n]*$/ || !whole) stop("it was cut: the line \"PostgreSQL database dump complete\" does not end it")
  if (mode == "load") { if (restrict != "") print "\\unrestrict " restrict; print "COMMIT;"; print "\\echo ${RESTORED}" }
}`;

/**
 * A command that reads a plain SQL dump on its stdin to the end, and fails with `NOT_A_DUMP` where it is no whole dump of one
 * database. To `load` it prints what is for the database, then COMMIT: extensions, the database itself, owners and, unless
 * wanted, privileges are left out, and so is all that would end the transaction or be a command of psql. For `grants` it prints
 * statements about privileges alone, to `check` nothing. Default privileges of named roles are set by the superuser, who then
 * is `role`, an identifier, again.
 */
export function readPlainSql(
  mode: 'load' | 'check' | 'grants',
  wish: { readonly privileges: boolean; readonly restrict?: string | null; readonly role?: string },
): Sh {
  const variables = [
    `mode=${mode}`,
    `privileges=${wish.privileges ? 1 : 0}`,
    `restrict=${wish.restrict ?? ''}`,
    `role=${(wish.role ?? '').replaceAll('\\', '\\\\')}`,
  ];
  return sh`env LC_ALL=C awk ${variables.flatMap((text) => ['-v', text])} ${READER}`;
}
