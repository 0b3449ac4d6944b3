#!/usr/bin/env bash
# backup.sh FOLDER: dumps the database of ZHIBO_POSTGRES_URL, restores the dump into a database of
# its own, compares every table's number of rows, and only then lets older dumps go.
set -euo pipefail
folder=${1:?"backup.sh FOLDER"}
url_file=${CREDENTIALS_DIRECTORY:-}/ZHIBO_POSTGRES_URL
url=${ZHIBO_POSTGRES_URL:-$([ -r "$url_file" ] && cat "$url_file")}
[ -n "$url" ] || { echo "ZHIBO_POSTGRES_URL is not set" >&2; exit 2; }
keep_days=${ZHIBO_BACKUP_KEEP_DAYS:-30}
mkdir -p "$folder"; umask 077
name=zhibo-$(date -u +%Y%m%dT%H%M%SZ)
rehearsal=zhibo_rehearsal_$$

count() { # every table with its rows, partitions left out: their parents have them
  psql -X -q -At -v ON_ERROR_STOP=1 "$1" <<'SQL'
SELECT format('SELECT %L || '' '' || count(*) FROM %I;', c.relname, c.relname) FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY c.relname
\gexec
SQL
}
of_database() { # the same address with another database
  local head=${1%%\?*} tail=''
  [ "$head" = "$1" ] || tail="?${1#*\?}"
  echo "${head%/*}/$2$tail"
}

trap 'rm -f "$folder/$name.part"; psql -X -q "$(of_database "$url" postgres)" -c "DROP DATABASE IF EXISTS $rehearsal" >/dev/null 2>&1 || true' EXIT
pg_dump --format=custom --file="$folder/$name.part" "$url"
psql -X -q -v ON_ERROR_STOP=1 "$(of_database "$url" postgres)" -c "CREATE DATABASE $rehearsal TEMPLATE template0"
pg_restore --no-owner --exit-on-error --dbname="$(of_database "$url" "$rehearsal")" "$folder/$name.part"
restored=$(count "$(of_database "$url" "$rehearsal")")
[ -n "$restored" ] || { echo "the restored database has no tables" >&2; exit 1; }
# The living database goes on while we look: every table must be there, and none may have more rows
# restored than live, but those from which old rows are let go.
now=$(count "$url")
while read -r table rows; do
  restored_rows=$(awk -v t="$table" '$1 == t {print $2}' <<<"$restored")
  [ -n "$restored_rows" ] || { echo "$table is missing in the dump" >&2; exit 1; }
  case $table in audit|tariff_version|correction)
    [ "$restored_rows" -le "$rows" ] || { echo "$table: rows were lost since the dump" >&2; exit 1; } ;;
  esac
done <<<"$now"
mv "$folder/$name.part" "$folder/$name.dump"
(cd "$folder" && sha256sum "$name.dump" > "$name.dump.sha256")
find "$folder" -name 'zhibo-*.dump*' -mtime +"$keep_days" -delete
echo "restored and counted: $folder/$name.dump"
