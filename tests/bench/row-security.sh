#!/bin/sh
# What row-level security costs: the statements of three requests on a connection that shows their tenant's rows already
# (kept), on one that is told before each of them (told), and as a superuser, who is locked out of nothing (open), in turns.
#
#   PGHOST=… PGPORT=… PGPASSWORD=… row-security.sh DATABASE [ROUNDS] [SECONDS]
#
# DATABASE has been migrated, is empty otherwise and belongs to the role kabar; postgres is the superuser. The machine's
# noise hits all alike, because they take turns in short rounds.
set -eu
database=$1 rounds=${2:-15} seconds=${3:-2}
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
tenant=00000000-0000-0000-0000-000000000001

psql -q -U postgres -d "$database" <<SQL
INSERT INTO tenant (id, name, slug, status, default_country, default_language, time_zone, limit_overrides, created_at, updated_at)
  SELECT lpad(n::text, 32, '0')::uuid, n, n, 'active', 'ID', 'en', 'UTC', '{}', now(), now() FROM generate_series(1, 20) n;
INSERT INTO device (id, tenant_id, name, tags, status, status_since, wanted, linked, connection_attempts, lease_fence, created_at, updated_at)
  SELECT md5(t.id::text || n)::uuid, t.id, 'Device ' || n, '[]', 'connected', now(), true, true, 0, 1, now(), now()
  FROM tenant t, generate_series(1, 60) n;
INSERT INTO chat (id, tenant_id, device_id, jid, kind, unread_count, created_at)
  SELECT d.id, d.tenant_id, d.id, '6281200000001@s.whatsapp.net', 'direct', 0, now() FROM device d;
INSERT INTO message (id, tenant_id, device_id, chat_id, whatsapp_id, direction, sender_jid, kind, content, body, status, priority, attempts, created_at)
  SELECT gen_random_uuid(), d.tenant_id, d.id, d.id, n::text, 'out', 'x', 'text', '{"body": "hello"}', 'hello', 'sent', 10, 1, now()
  FROM device d, generate_series(1, 100) n;
INSERT INTO event_sequence (tenant_id, last) SELECT id, 0 FROM tenant;
VACUUM ANALYZE;
SQL
device=$(psql -At -U postgres -d "$database" -c "SELECT id FROM device WHERE tenant_id = '$tenant' ORDER BY id LIMIT 1")

cat > "$folder/devices" <<SQL
SELECT * FROM device WHERE tenant_id = '$tenant' ORDER BY id DESC LIMIT 51;
SQL
cat > "$folder/messages" <<SQL
SELECT * FROM message WHERE tenant_id = '$tenant' AND chat_id = '$device' ORDER BY id DESC LIMIT 51;
SQL
cat > "$folder/send" <<SQL
\set key random(1, 1000000000000)
BEGIN;
INSERT INTO quota_usage (tenant_id, subject, meter, "window", used, warned)
  VALUES ('$tenant', '', 'messages_per_day', 1, 1, 0), ('$tenant', '', 'messages_per_month', 1, 1, 0)
  ON CONFLICT (tenant_id, subject, meter, "window") DO UPDATE SET used = quota_usage.used + excluded.used RETURNING *;
INSERT INTO message (id, tenant_id, device_id, chat_id, whatsapp_id, direction, sender_jid, kind, content, body, status, priority, attempts, created_at)
  VALUES (gen_random_uuid(), '$tenant', '$device', '$device', :key, 'out', 'x', 'text', '{"body": "hello"}', 'hello', 'queued', 10, 0, now()) RETURNING *;
UPDATE chat SET last_message_at = now() WHERE tenant_id = '$tenant' AND id = '$device';
UPDATE event_sequence SET last = last + 1 WHERE tenant_id = '$tenant' RETURNING last;
INSERT INTO event (tenant_id, sequence, type, at, device_id, data)
  SELECT tenant_id, last, 'message_status', now(), '$device', '{}' FROM event_sequence WHERE tenant_id = '$tenant';
COMMIT;
SQL
for name in devices messages send; do
    { echo "SELECT set_config('kabar.tenant', '$tenant', false), set_config('kabar.system', '', false);"; cat "$folder/$name"; } > "$folder/$name.told"
    cp "$folder/$name" "$folder/$name.kept"
    cp "$folder/$name" "$folder/$name.open"
done

# One run adds the microseconds of each of its transactions to a file.
run() {
    PGOPTIONS="-c kabar.tenant=$tenant" pgbench -n -M prepared -c 1 -T "$seconds" -U "$1" -f "$folder/$2" -l --log-prefix="$folder/log" "$database" > "$folder/out"
    awk '{ print $3 }' "$folder"/log.* >> "$folder/$2.times"
    rm "$folder"/log.*
}
# The fastest quarter's slowest: whoever was interrupted by other work of the machine is left out.
quarter() { sort -n "$1" | awk '{ time[NR] = $1 } END { print time[int(NR / 4) + 1] }'; }
for name in devices messages send; do
    for round in $(seq "$rounds"); do
        if [ $((round % 2)) = 0 ]; then
            run kabar "$name.kept"; run postgres "$name.open"; run kabar "$name.told"
        else
            run kabar "$name.told"; run postgres "$name.open"; run kabar "$name.kept"
        fi
    done
    kept=$(quarter "$folder/$name.kept.times") told=$(quarter "$folder/$name.told.times") open=$(quarter "$folder/$name.open.times")
    awk -v name="$name" -v kept="$kept" -v told="$told" -v open="$open" \
        'BEGIN { printf "%-9s open %d µs, kept %d µs (%.3f), told %d µs (%.3f)\n", name, open, kept, kept / open, told, told / open }'
done
