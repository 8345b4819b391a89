# Shared by script/server and script/test: packages, system users, build.  Sourced, not run.

say() { printf '%s\n' "$*" >&2; }
die() { say "$0: $*"; exit 1; }

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

BUILD_PACKAGES="build-essential cmake ninja-build pkg-config libuv1-dev libssl-dev libpq-dev libc-ares-dev libjson-c-dev
  libmicrohttpd-dev libinih-dev libidn2-dev libcrypt-dev zlib1g-dev libzstd-dev libunistring-dev libcap-dev libcurl4-openssl-dev
  postgresql curl ca-certificates"

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

# install_packages NAME...: installs what is missing, without starting any service.
install_packages() {
  local missing=() p policy=/usr/sbin/policy-rc.d ours=
  for p; do dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing+=("$p"); done
  [ ${#missing[@]} -eq 0 ] && return 0
  say "installing ${missing[*]}"
  # Debian's package would make and start a cluster of its own.
  if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
    as_root mkdir -p /etc/postgresql-common
    echo 'create_main_cluster = false' | as_root tee /etc/postgresql-common/createcluster.conf >/dev/null
  fi
  if [ ! -e $policy ]; then
    printf '#!/bin/sh\nexit 101\n' | as_root tee $policy >/dev/null
    as_root chmod 755 $policy
    ours=1
  fi
  local ok=0
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null 2>&1 ||
    { as_root apt-get update -qq &&
      as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2; } || ok=1
  [ -z "$ours" ] || as_root rm -f $policy
  [ $ok = 0 ] || die "could not install ${missing[*]}"
}

. "$ROOT/script/users.sh"

# build PRESET TARGET...
build() {
  local preset=$1
  shift
  (cd "$ROOT" && cmake --preset "$preset" >"/tmp/.correio-cmake.$$" 2>&1 || { cat "/tmp/.correio-cmake.$$" >&2; exit 1; }) ||
    { rm -f "/tmp/.correio-cmake.$$"; die "could not configure the $preset build"; }
  rm -f "/tmp/.correio-cmake.$$"
  ninja -C "$ROOT/build/$preset" "$@" >&2 || die "the $preset build failed"
}
