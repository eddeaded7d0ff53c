#!/usr/bin/env bash
# A real Prometheus scrapes a running demo: does each query of each dashboard and each rule return data, and does
# promtool find the metrics and the rules well made?
#
# Without Prometheus it says so and passes.
#
#   PTP_AGENT=target/debug/ptp-agent bash tests/real-dashboards.sh
set -eu

agent=${PTP_AGENT:-target/debug/ptp-agent}
here=$(dirname "$0")
if ! command -v prometheus >/dev/null || ! command -v promtool >/dev/null; then
    echo "skipped: no Prometheus here"
    exit 0
fi
dir=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null; wait; rm -rf "$dir"' EXIT

api=$((20000 + RANDOM % 20000))
port=$((api + 1))
"$agent" demo --demo-port "$api" --linger 5m >"$dir/demo.log" 2>&1 &
cat >"$dir/prometheus.yml" <<CONFIG
scrape_configs:
  - job_name: ptp-agent
    scrape_interval: 1s
    static_configs: [{targets: ["127.0.0.1:$api"]}]
CONFIG
prometheus --config.file="$dir/prometheus.yml" --storage.tsdb.path="$dir/data" \
    --web.listen-address="127.0.0.1:$port" >"$dir/prometheus.log" 2>&1 &

failed=0
tell() { # tell RESULT WHAT [WHY]
    if [ "$1" = 0 ]; then
        echo "ok      $2"
    else
        echo "FAILED  $2 ${3:-}"
        failed=1
    fi
}
# Until the demo's three faults are there.
for _ in $(seq 600); do
    firing=$(curl -sf "http://127.0.0.1:$api/api/v1/fleet" | python3 -c 'import json,sys; print(sum(json.load(sys.stdin)["firing"].values()))' 2>/dev/null || true)
    [ "${firing:-0}" -ge 3 ] && break
    sleep 0.1
done
sleep 3

curl -sf "http://127.0.0.1:$api/metrics" >"$dir/metrics"
# Offsets are in ns as everywhere in linuxptp (openshift_ptp_offset_ns); promtool would have seconds.
said=$(promtool check metrics <"$dir/metrics" 2>&1 | grep -v "^ptp_agent_clock_offset_ns metric names should not contain abbreviated units" || true)
[ -z "$said" ] && tell 0 "promtool check metrics" || tell 1 "promtool check metrics" "$said"
python3 - "$here/../deploy/monitoring/prometheusrule.yaml" >"$dir/rules.yaml" <<'RULES'
import sys
lines = open(sys.argv[1]).read().split("spec:\n", 1)[1].splitlines()
print("\n".join(line[2:] for line in lines))
RULES
said=$(promtool check rules "$dir/rules.yaml" 2>&1) && tell 0 "promtool check rules" || tell 1 "promtool check rules" "$said"

python3 - "$here/../deploy/monitoring/dashboards" "http://127.0.0.1:$port" <<'QUERIES' || failed=1
import json, pathlib, sys, urllib.parse, urllib.request
folder, url = sys.argv[1:]
failed = False
for path in sorted(pathlib.Path(folder).glob("*.json")):
    for panel in json.loads(path.read_text())["panels"]:
        for target in panel["targets"]:
            expr = target["expr"].replace("$node", "gm-0")
            query = urllib.parse.urlencode({"query": expr})
            with urllib.request.urlopen(f"{url}/api/v1/query?{query}") as answer:
                result = json.load(answer)["data"]["result"]
            word = "ok     " if result else "FAILED "
            failed |= not result
            print(f"{word} {path.name} {panel['title']}: {len(result)} series")
sys.exit(failed)
QUERIES
exit $failed
