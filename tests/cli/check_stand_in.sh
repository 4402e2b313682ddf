#!/bin/sh
# Replaces heddle-check: prints results in its form. STAND_IN names how it deviates from a pass:
#   silent     its planted fault is not found          stale      it is from another build
#   fails      a scenario of the group pool fails      empty      a group has no scenario
#   crash      a signal kills it                       garbage    it does not print JSON
#   many       many scenarios, exhaustive, bounded, sampled
#   crash_attempt, stop_attempt   in the group handlers it kills, or stops, the process that runs it
#   linger     it writes its process id to STAND_IN_NOTE and never ends
# STAND_IN_BUILD: the build id that it prints.
group=none planted=no
while [ $# -gt 0 ]; do
  case $1 in
    --group) group=$2; shift ;;
    --plant) planted=yes; shift ;;
    --seconds) case $2 in *[1-9]*) ;; *) echo "heddle-check: --seconds: $2 is not above 0" >&2; exit 2 ;; esac; shift ;;
  esac
  shift
done
build=$STAND_IN_BUILD
[ "$STAND_IN" != stale ] || build=another-build
result() {  # SCENARIO STRATEGY BOUND EXHAUSTED RESULT
  failure=
  [ "$5" = pass ] || failure=',"failure":{"kind":"deadlock","text":"two threads wait for each other","decisions":"0x3,1x2","trace_hash":"9f3c"}'
  printf '{"scenario":"%s","group":"%s","strategy":"%s","bound":%s,"threads":2,"executions":1234,"exhausted":%s,' \
    "$1" "$group" "$2" "$3" "$4"
  printf '"points":20000,"points_per_second":3000000,"executions_per_second":200000,"choices":["waiter","timeout"],'
  printf '"depth_max":40,"wall_seconds":0.5,"result":"%s"%s}' "$5" "$failure"
}
answer() {  # RESULTS EXIT-CODE
  printf '{"build_id":"%s","results":[%s]}\n' "$build" "$1"
  exit "$2"
}
if [ "$planted" = yes ]; then
  [ "$STAND_IN" = silent ] && answer "$(result canary exhaustive null true pass)" 0
  answer "$(result canary exhaustive null true fail)" 1
fi
case $STAND_IN in
  crash) kill -SEGV $$ ;;
  garbage) echo "no JSON"; exit 0 ;;
  empty) answer "" 0 ;;
  fails) [ "$group" != pool ] || answer "$(result hand_over pct null false fail)" 1 ;;
  crash_attempt) [ "$group" != handlers ] || kill -SEGV "$PPID" ;;
  stop_attempt) [ "$group" != handlers ] || kill -STOP "$PPID" ;;
  linger) echo $$ > "$STAND_IN_NOTE"; exec sleep 600 ;;
  many)
    answer "$(result "${group}_a" exhaustive null true pass),$(result "${group}_b" bounded 2 true pass),$(
      result "${group}_c" pct 3 false pass)" 0 ;;
esac
answer "$(result "${group}_a" exhaustive null true pass)" 0
