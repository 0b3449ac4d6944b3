#!/usr/bin/env bash
# backup.sh FOLDER: dumps the database of ZHIBO_POSTGRES_URL, restores the dump into a database of
# its own (its name with _rehearsal), asks that every table there has as many rows as the dump's own
# snapshot had, and only then lets older dumps go. Needs what zhibo_backup has: deploy/postgres.
set -euo pipefail
folder=${1:?"backup.sh FOLDER"}
url_file=${CREDENTIALS_DIRECTORY:-}/ZHIBO_POSTGRES_URL
url=${ZHIBO_POSTGRES_URL:-$([ ! -r "$url_file" ] || cat "$url_file")}
[ -n "$url" ] || { echo "ZHIBO_POSTGRES_URL is not set" >&2; exit 2; }
# The password goes into the environment, which nobody else may read; `ps` shows arguments to all.
if [[ $url =~ ^([a-z]+://[^/@:]*):([^/@]*)@(.*)$ ]]; then
  url=${BASH_REMATCH[1]}@${BASH_REMATCH[3]} word=${BASH_REMATCH[2]//\\/\\\\}
  PGPASSWORD=$(printf '%b' "${word//%/\\x}")
  export PGPASSWORD
fi
keep_days=${ZHIBO_BACKUP_KEEP_DAYS:-30}
mkdir -p "$folder"; umask 077
name=zhibo-$(date -u +%Y%m%dT%H%M%SZ)
part=$folder/$name.part
path=${url%%\?*}
rehearsal=${path##*/}_rehearsal
rehearsal_url=${path%/*}/$rehearsal${url#"$path"}
export url part rehearsal_url

ask() { psql -X -q -w -At -F ' ' -v ON_ERROR_STOP=1 "$@"; }
drop() { ask "$url" -c 'SET client_min_messages = warning' -c "DROP DATABASE IF EXISTS \"$rehearsal\""; }
count() { # SQL: every table with its rows; of a parted table each partition
  cat <<'SQL'
SELECT format('SELECT %L, count(*) FROM %I.%I;', nspname || '.' || relname, nspname, relname)
FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
WHERE relkind = 'r' AND nspname !~ '^pg_' AND nspname <> 'information_schema'
ORDER BY nspname COLLATE "C", relname COLLATE "C"
\gexec
SQL
}
dump() { # SQL: counts and dumps in one snapshot, while the living database goes on
  echo 'BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY;'
  count
  cat <<'SQL'
SELECT pg_export_snapshot() AS snapshot \gset
\setenv snapshot :snapshot
\! pg_dump -w --format=custom --snapshot="$snapshot" --file="$part" "$url" </dev/null >&2
\if :SHELL_ERROR
DO $$ BEGIN RAISE EXCEPTION 'pg_dump failed'; END $$;
\endif
COMMIT;
SQL
}

trap 'rm -f "$part"; drop >/dev/null 2>&1 || true' EXIT
dumped=$(dump | ask "$url")
[ -n "$dumped" ] || { echo "the database has no tables" >&2; exit 1; }
drop # what a killed backup left
ask "$url" -c "CREATE DATABASE \"$rehearsal\" TEMPLATE template0"
# Rights stay out, as in a true restore: `zhibo migrate` says them anew.
pg_restore -w --no-owner --no-privileges --exit-on-error --dbname="$rehearsal_url" "$part"
restored=$(count | ask "$rehearsal_url")
if ! diff --old-line-format='in the dump: %L' --new-line-format='restored: %L' \
  --unchanged-line-format='' <(echo "$dumped") <(echo "$restored") >&2; then
  echo "not every row came back (table and rows above): older dumps stay, this one is no backup" >&2
  exit 1
fi
mv "$part" "$folder/$name.dump"
(cd "$folder" && sha256sum "$name.dump" > "$name.dump.sha256")
find "$folder" -name 'zhibo-*.dump*' -mtime +"$keep_days" -delete
echo "restored and counted: $folder/$name.dump"
