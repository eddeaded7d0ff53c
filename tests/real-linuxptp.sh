#!/usr/bin/env bash
# Real ptp4l in network namespaces: does its log, as printed, name the cause?
#
# Each scenario has a master and a slave with software timestamps, joined by a veth pair, or by a link that
# delays what passes (support/delayed_link.py). Both ends read the same clock, so that the slave has next to
# nothing to correct; where the link lies to it, it may steer by 1 ppb only, or the machine's clock would run
# away. It takes about six minutes; where namespaces cannot be made, or ptp4l is not there, it says so and
# passes.
#
#   PTP_CLI=target/debug/ptp-cli bash tests/real-linuxptp.sh
set -u

cli=${PTP_CLI:-target/debug/ptp-cli}
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d)
tag=ptp$$
trap 'kill $(jobs -p) 2>/dev/null; for n in $(ip netns list 2>/dev/null | cut -d" " -f1 | grep "^$tag"); do ip netns pids "$n" | xargs -r kill 2>/dev/null; ip netns del "$n"; done; rm -rf "$dir"' EXIT

if ! command -v ptp4l >/dev/null || ! ip netns add "$tag-try" 2>/dev/null; then
    echo "skipped: no ptp4l here, or no network namespaces"
    exit 0
fi
ip netns del "$tag-try"

# Offsets with software timestamps are some microseconds on a busy machine.
printf 'offset-ns = 100000\noffset-critical-ns = 1000000\n' >"$dir/thresholds.toml"

# Joins a master and a slave called $1.
join() {
    ip netns add "$tag-$1-m" && ip netns add "$tag-$1-s" || return 1
    ip link add veth-m netns "$tag-$1-m" type veth peer name veth-s netns "$tag-$1-s" || return 1
    ip -n "$tag-$1-m" addr add 10.0.0.1/24 dev veth-m
    ip -n "$tag-$1-s" addr add 10.0.0.2/24 dev veth-s
    ip -n "$tag-$1-m" link set veth-m up
    ip -n "$tag-$1-s" link set veth-s up
}

# Runs a master with what follows, in the background; its pid is in $master.
run_master() {
    local name=$1
    shift
    ip netns exec "$tag-$name-m" ptp4l -S -m -i veth-m --free_running 1 --priority1 100 "$@" \
        >"$dir/$name-master.log" 2>&1 &
    master=$!
}

run_slave() {
    ip netns exec "$tag-$1-s" ptp4l -S -m -s -i veth-s "${@:2}" >"$dir/$1.log" 2>&1 &
    slave=$!
}

# The longest that a slave takes to its lock: announce timeout, some samples, the servo's estimate.
LOCKED=60

healthy() { join healthy && run_master healthy && run_slave healthy && sleep $((LOCKED + 40)); }
stop() { join stop && run_master stop && run_slave stop && sleep $LOCKED && kill "$master"; sleep 40; }
domain() { join domain && run_master domain --domainNumber 7 && run_slave domain; sleep 90; }
link() {
    join link && run_master link && run_slave link && sleep $LOCKED
    ip -n "$tag-link-s" link set veth-s down
    sleep 20
    ip -n "$tag-link-s" link set veth-s up
    sleep 20
}
# A second master of better priority on the same bridge.
better() {
    for end in x m s n; do ip netns add "$tag-better-$end" || return 1; done
    ip -n "$tag-better-x" link add br0 type bridge
    ip -n "$tag-better-x" link set br0 up
    local number=0
    for end in m s n; do
        number=$((number + 1))
        ip link add "to-$end" netns "$tag-better-x" type veth peer name "veth-$end" netns "$tag-better-$end"
        ip -n "$tag-better-x" link set "to-$end" master br0 up
        ip -n "$tag-better-$end" addr add "10.0.0.$number/24" dev "veth-$end"
        ip -n "$tag-better-$end" link set "veth-$end" up
    done
    run_master better && run_slave better && sleep $LOCKED
    ip netns exec "$tag-better-n" ptp4l -S -m -i veth-n --free_running 1 --priority1 50 \
        >"$dir/better-second.log" 2>&1 &
    sleep 40
}

# A master and a slave called $1 on a link that is late from 70 s on: see support/delayed_link.py.
join_late() {
    local name=$1
    ip netns add "$tag-$name-m" && ip netns add "$tag-$name-s" || return 1
    timeout 300 python3 "$here/support/delayed_link.py" "tm-$name" "ts-$name" "${@:2}" >/dev/null 2>&1 &
    relay=$!
    sleep 1
    for end in m s; do
        ip link set "t$end-$name" netns "$tag-$name-$end" || return 1
        ip -n "$tag-$name-$end" link set "t$end-$name" name "veth-$end"
    done
    ip -n "$tag-$name-m" addr add 10.0.0.1/24 dev veth-m
    ip -n "$tag-$name-s" addr add 10.0.0.2/24 dev veth-s
    ip -n "$tag-$name-m" link set veth-m up
    ip -n "$tag-$name-s" link set veth-s up
}
# A servo that hardly steers.
slow=(--max_frequency 1)
# What the slave sends takes 4 ms longer: the offset is off by 2 ms.
asymmetry() {
    join_late asym 70 0 0 0.004 0 && run_master asym && run_slave asym "${slow[@]}" && sleep 130
    kill "$slave" "$master"
    kill "$relay"
}
# A switch under load: up to 8 ms more, both ways.
load() {
    join_late load 70 0 0.008 0 0.008 && run_master load && run_slave load "${slow[@]}" && sleep 240
    kill "$slave" "$master"
    kill "$relay"
}
# ptp4l is killed three times, and something starts it again, as a service does.
killed() {
    join killed && run_master killed && run_slave killed && sleep $LOCKED
    for _ in 1 2 3; do
        kill -9 "$slave"
        sleep 2
        ip netns exec "$tag-killed-s" ptp4l -S -m -s -i veth-s >>"$dir/killed.log" 2>&1 &
        slave=$!
        sleep 20
    done
}

# Somebody else moves the clock that ptp4l steers: 0.4 s forth and back, six times. The whole machine's clock is
# moved, and so it is tried when the others are over.
rival() {
    join rival && run_master rival && run_slave rival && sleep $LOCKED
    python3 - <<'PYTHON'
import time
for turn in range(12):
    now = time.clock_gettime(time.CLOCK_REALTIME)
    time.clock_settime(time.CLOCK_REALTIME, now + (0.4 if turn % 2 == 0 else -0.4))
    time.sleep(3)
PYTHON
    sleep 5
}
# Whether this may set the clock at all.
may_set_the_clock() {
    command -v python3 >/dev/null && python3 -c '
import time
time.clock_settime(time.CLOCK_REALTIME, time.clock_gettime(time.CLOCK_REALTIME))' 2>/dev/null
}

scenarios=${SCENARIOS:-healthy stop domain link better killed}
if [[ -n ${SCENARIOS:-} ]]; then
    : # as asked for
elif [[ -c /dev/net/tun ]] && command -v python3 >/dev/null; then
    scenarios+=" asymmetry load"
else
    echo "skipped: asymmetry and load, which need /dev/net/tun and python3"
fi
for scenario in $scenarios; do
    if [[ $scenario != rival ]]; then $scenario & fi
done
wait
# Ends what still runs.
tear_down() {
    local n
    for n in $(ip netns list | cut -d' ' -f1 | grep "^$tag"); do ip netns pids "$n" | xargs -r kill 2>/dev/null; done
    sleep 1
}
tear_down
if [[ ${SCENARIOS:-} != *rival* && ${CI:-} != true ]]; then
    echo "skipped: rival, which sets the machine's clock; CI does, and SCENARIOS=rival"
elif [[ -n ${SCENARIOS:-} && $SCENARIOS != *rival* ]]; then
    : # not asked for
elif may_set_the_clock; then
    rival
else
    echo "skipped: rival, which needs the right to set the clock"
fi
tear_down

failed=0
# check NAME CAUSES: the incidents of its log have one of these causes; `-` for none.
check() {
    local told
    [[ -e $dir/$1.log ]] || return
    if ! grep -q 'UNCALIBRATED to SLAVE' "$dir/$1.log" && [[ $1 != domain ]]; then
        echo "wrong: $1: the slave never locked"
        failed=1
    fi
    told=$("$cli" diagnose --thresholds "$dir/thresholds.toml" --settle 15m --format ndjson --node-name du-1 "$dir/$1.log" 2>"$dir/err" |
        sed -n 's/.*"type":"incident","id":"[^"]*","root_cause":"\([^"]*\)".*/\1/p' | sort -u | paste -sd,)
    if [[ -s $dir/err ]] && grep -q '^error' "$dir/err"; then
        told=refused
    fi
    if [[ ${told:--} =~ ^($2)$ ]]; then
        echo "ok: $1: ${told:-nothing}"
    else
        echo "wrong: $1: ${told:-nothing}, not $2"
        cat "$dir/err"
        tail -25 "$dir/$1.log"
        failed=1
    fi
}
check healthy -
check stop 'ptp-path-loss|upstream-loss'
check domain misconfiguration
check link ptp-path-loss
check better 'grandmaster-switch'
check killed 'process-restart|process-down'
# A servo that may not follow is at its limit as well.
check asym 'path-asymmetry|servo-saturated|path-asymmetry,servo-saturated'
check load 'ptp-path-unstable'
check rival phc-contention
echo "not tried: phc2sys itself against a rival, which needs a hardware clock; ptp4l's check of its clock is the same"
if [[ -n ${KEEP:-} ]]; then cp "$dir"/*.log "$KEEP"; fi
exit $failed
