#!/usr/bin/env bash
# Runs the Dockerfile's own steps without a container engine, then the daemon as the image would, on the sample of compose/.
# Needs .venv (make check builds it) and PyPI. As root the daemon gets a read-only root, no network and uid 10001.
set -euo pipefail

say() { printf '== %s\n' "$*"; }
milliseconds() { echo $((${EPOCHREALTIME/[.,]/} / 1000)); }
since() { echo $(($(milliseconds) - $1)); }
seconds() { printf '%d.%d s' $(($1 / 1000)) $(($1 % 1000 / 100)); }

# Second half: inside namespaces of its own when root started it, else as it is.
if [[ ${1:-} == --inside ]]; then
  work=$2
  as_user=()
  logs=$work
  if [[ $3 == isolated ]]; then
    mount --make-rprivate /
    if [[ $PYTHON_HOME == /root/* ]]; then # a Python in root's home, which nobody else may enter: leave only it there
      mount --bind "$PYTHON_HOME" "$work/python"
      mount -t tmpfs -o mode=0755 tmpfs /root
      mkdir -p "$PYTHON_HOME"
      mount --bind "$work/python" "$PYTHON_HOME"
    fi
    mount -t tmpfs -o mode=1777 tmpfs /tmp
    mount -t tmpfs -o mode=0700,uid=10001,gid=10001 tmpfs "$work/var"
    mount -o remount,bind,ro /
    ip link set lo up
    as_user=(setpriv --reuid 10001 --regid 10001 --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all)
    logs=/tmp
  fi
  cd "$work/var"
  # shellcheck disable=SC1091
  source "$work/environment"
  if [[ $3 == isolated ]]; then
    "${as_user[@]}" touch "$work/opt/x" 2>/dev/null && { say "the root file system can be written"; exit 1; }
    say "the daemon's user is $("${as_user[@]}" id -u), its root is read-only, its only network is loopback"
  fi
  say "$("${as_user[@]}" metricwatch --version)" || exit 1
  "${as_user[@]}" metricwatch check --connect
  began=$(milliseconds)
  eval "exec_start=($START)"
  "${as_user[@]}" "${exec_start[@]}" >"$logs/daemon.log" 2>&1 &
  daemon=$!
  trap 'kill -KILL "$daemon" 2>/dev/null || true' EXIT
  until "${as_user[@]}" bash -c "$HEALTH" 2>/dev/null; do
    kill -0 "$daemon" 2>/dev/null || { cat "$logs/daemon.log"; say "the daemon ended"; exit 1; }
    (($(since "$began") < 30000)) || { cat "$logs/daemon.log"; say "not healthy in 30 s"; exit 1; }
    sleep 0.2
  done
  say "healthy after $(seconds "$(since "$began")"), by the HEALTHCHECK of the Dockerfile"
  # A request for what was judged, over the state database: the first pull has to be recorded before it has an answer.
  until "${as_user[@]}" metricwatch show shop.orders --json >"$logs/show.json" 2>"$logs/show.err" && grep -q '"observed"' "$logs/show.json"; do
    (($(since "$began") < 120000)) || { cat "$logs"/show.* "$logs/daemon.log"; say "nothing judged"; exit 1; }
    sleep 2
  done
  say "pulled readings shown after $(seconds "$(since "$began")")"
  began=$(milliseconds)
  kill -TERM "$daemon"
  code=0
  wait "$daemon" || code=$?
  trap - EXIT
  took=$(since "$began")
  say "SIGTERM: exit $code after $(seconds "$took")"
  ((code == 0 && took < 15000)) || { tail -n 20 "$logs/daemon.log"; exit 1; }
  exit 0
fi

root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root"
work=$(mktemp -d /var/tmp/metricwatch-image.XXXXXX)
chmod 755 "$work"
server=
finish() {
  [[ -z $server ]] || { exec 3>&-; wait "$server" || true; }
  rm -rf "$work"
}
trap finish EXIT
ask() { .venv/bin/python -m tests.container.dockerfile "$@"; }

say "COPY . . without what .dockerignore names"
mkdir -p "$work"/{src,dist,opt,var,etc,tmp,python}
excludes=()
while read -r pattern; do
  case $pattern in
    '**/'*) excludes+=(--no-anchored "--exclude=${pattern#'**/'}") ;;
    ?*) excludes+=(--anchored "--exclude=./$pattern") ;;
  esac
done <.dockerignore
tar -c --no-wildcards-match-slash "${excludes[@]}" . | tar -x -C "$work/src"

say "the RUN steps of the build stage, with a fresh Python environment in place of python:3.13-slim"
python3 -m venv "$work/base"
ask build "/src=$work/src" "/dist=$work/dist" "/opt/metricwatch=$work/opt" >"$work/build.sh"
(cd "$work/src" && PATH="$work/base/bin:$PATH" bash "$work/build.sh") >"$work/build.log" 2>&1 || { tail -n 40 "$work/build.log"; exit 1; }
say "$(basename "$work"/dist/*.whl), $(grep -c '==' "$work/dist/requirements.txt") locked requirements with hashes, $(du -sm "$work/opt" | cut -f1) MB"

say "compose/ in a real PostgreSQL"
mkfifo "$work/serve"
TMPDIR="$work/tmp" .venv/bin/python -m tests.container.sample_server <"$work/serve" >"$work/urls" 2>"$work/server.log" &
server=$!
exec 3>"$work/serve"
until [[ -s $work/urls ]] && [[ -z $(tail -n 1 "$work/urls") ]]; do
  kill -0 "$server" 2>/dev/null || { cat "$work/server.log"; exit 1; }
  sleep 0.2
done
cp compose/metrics/*.yaml "$work/etc/"
chmod -R a+rX "$work/etc" "$work/opt"
{
  ask environment
  cat "$work/urls"
  echo "export PATH=$work/opt/bin:\$PATH METRICWATCH_CONFIG=$work/etc METRICWATCH_LISTEN=0.0.0.0:8050"
  echo "HEALTH=$(printf %q "$(ask health)") START=$(printf %q "$(ask start)")"
} >"$work/environment"
chmod 711 "$work/tmp"
PYTHON_HOME=$("$work/opt/bin/python" -c 'import sys; print(sys.base_prefix)')
export PYTHON_HOME

if [[ $(id -u) == 0 ]] && unshare --mount --net true 2>/dev/null; then
  unshare --mount --net bash "$root/tests/container/prove.sh" --inside "$work" isolated 3>&-
else
  say "not root: the read-only root, the other user and the network of its own are not proven"
  bash "$root/tests/container/prove.sh" --inside "$work" plain 3>&-
fi
say "proven"
