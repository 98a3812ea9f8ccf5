#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Part of swift-stomp. See LICENSE and NOTICE.
#
# guard.sh FOLDER SCRIPT    Runs a broker's start script and ends with it.
#
# Standard input is a pipe whose write end only the test process holds. A line in it starts the broker again, which
# the tests have killed, with the data that it has left in FOLDER. Its end of file means that the tests
# are over, whether they stopped the broker, exited or were killed: the broker and everything it started is
# then ended, FOLDER is removed, and this process exits. FOLDER is removed last, so its absence means "all gone".
set -u
folder=$1
script=$2

# A descriptor that leaked into us (a client's socket, another broker's pipe) would be kept open by the broker
# for as long as it runs, and the peer would never see the end of file. Bash reads this very script from one.
for path in /dev/fd/*; do
    descriptor=${path##*/}
    [[ $descriptor -le 2 || $path -ef $0 ]] || exec {descriptor}>&-
done

# The mark by which end_all finds processes which left the broker's process group (Erlang gives each of its
# helpers a session of its own). The guard itself must not bear it, so it is set for the broker only.
mark=STOMP_BROKER_MARK=$folder

marked() {
    # Only Linux has /proc; elsewhere the process group has to do.
    grep -lzxFs -e "$mark" /proc/[0-9]*/environ | cut -d/ -f3
}

# Job control gives the broker a process group of its own, led by the broker. Its input must not be our pipe.
set -m
start() {
    env "$mark" /bin/bash "$script" </dev/null &
    broker=$!
    echo "$broker" >"$folder/pid.new" && mv "$folder/pid.new" "$folder/pid"
}

# What is left of a broker that was killed, such as its port mapper.
end_rest() {
    # The group's id stays taken while any member lives, so this hits the broker's own processes or nothing.
    kill -KILL -- "-$broker" 2>/dev/null
    for _ in {1..50}; do
        rest=$(marked)
        [[ -n $rest ]] || break
        kill -KILL $rest 2>/dev/null
        sleep 0.02
    done
}

end_all() {
    trap '' HUP INT TERM
    if kill -0 "$broker" 2>/dev/null; then
        kill -TERM "$broker"
        # Bash is the parent and reaps at once, so the id is neither a zombie's nor reused while this loop looks.
        for _ in {1..80}; do
            kill -0 "$broker" 2>/dev/null || break
            sleep 0.1
        done
    fi
    end_rest
    case $folder in
    */stomp-broker-*) rm -rf -- "$folder" ;;
    esac
}

start
trap end_all EXIT
trap 'exit 1' HUP INT TERM

# Each line is the wish for another start in the same folder. Its sender has removed the file "pid".
while read -r _; do
    end_rest
    wait "$broker" 2>/dev/null
    start
done
exit 0
