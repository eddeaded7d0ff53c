#!/usr/bin/env bash
# A real Prometheus with what a real daemon's exporter answered: does diagnose read what it answers?
#
# The exporter's answer (recordings/metrics-bc.prom.txt) is repeated for half an hour; for five minutes of it
# the port is FAULTY and the clock in HOLDOVER. Prometheus takes that in, and is asked in each of its ways.
# Without Prometheus it says so and passes.
#
#   PTP_CLI=target/debug/ptp-cli bash tests/real-prometheus.sh
set -eu

cli=${PTP_CLI:-target/debug/ptp-cli}
here=$(dirname "$0")
if ! command -v prometheus >/dev/null || ! command -v promtool >/dev/null; then
    echo "skipped: no Prometheus here"
    exit 0
fi
dir=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null; wait; rm -rf "$dir"' EXIT

# Half an hour that ends two hours ago: blocks are not made of the latest.
end=$(($(date +%s) - 7200))
end=$((end - end % 30))
start=$((end - 1800))
grep '^openshift_ptp_' "$here/../recordings/metrics-bc.prom.txt" | grep -v threshold |
    awk -v start=$start -v end=$end '{
        series = $1; split($1, part, "{"); name = part[1]
        if (name != last) { print "# TYPE " name " gauge"; last = name }
        for (t = start; t <= end; t += 30) {
            broken = t >= start + 900 && t < start + 1200
            value = $2
            if (broken && series ~ /clock_state.*ens1fx/) value = 2
            if (broken && series ~ /interface_role.*ens1f0/) value = 3
            if (broken && name ~ /clock_class/) value = 248
            # Whoever measures never measures the same twice.
            if (!broken && name ~ /frequency/) value += (t / 30) % 7
            print series, value, t
        }
    } END { print "# EOF" }' >"$dir/history.om"
promtool tsdb create-blocks-from openmetrics "$dir/history.om" "$dir/data" >/dev/null
# What has never run has no write-ahead log.
mkdir -p "$dir/data/wal"
promtool tsdb dump "$dir/data" >"$dir/dump.prom"

port=$((20000 + RANDOM % 20000))
printf 'global: {}\n' >"$dir/prometheus.yml"
prometheus --config.file="$dir/prometheus.yml" --storage.tsdb.path="$dir/data" \
    --storage.tsdb.retention.time=1d --web.listen-address="127.0.0.1:$port" >"$dir/prometheus.log" 2>&1 &
url=http://127.0.0.1:$port
for _ in $(seq 100); do
    curl -sf "$url/-/ready" >/dev/null && break
    sleep 0.1
done
# One query for all metrics of linuxptp-daemon, as docs/evidence.md has it.
query='{__name__=~"openshift_ptp_.+"}'
curl -sfG "$url/api/v1/query_range" --data-urlencode "query=$query" \
    --data "start=$start&end=$end&step=30" >"$dir/range.json"
promtool query range --start=$start --end=$end --step=30s "$url" "$query" >"$dir/range.txt"

failed=0
for form in dump.prom range.json range.txt; do
    report=$("$cli" diagnose --format json "$dir/$form" 2>"$dir/said") || true
    told=$(printf '%s' "$report" | python3 -c '
import json, sys
report = json.load(sys.stdin)
told = ((i["root_cause"], i["status"], i["opened_at"]) for i in report["incidents"])
print(", ".join(map(" ".join, told)))
' 2>/dev/null || cat "$dir/said")
    expect="ptp-path-loss resolved $(date -u -d "@$((start + 900))" +%Y-%m-%dT%H:%M:%SZ)"
    if [ "$told" = "$expect" ]; then
        echo "ok      $form: $told"
    else
        echo "FAILED  $form: $told; expected $expect"
        failed=1
    fi
done
exit $failed
