#!/bin/sh
# Make .venv with every Python package of uv.lock, installing what that needs:
# Python 3.11 or newer with venv (Debian packages, as root), and the pinned uv (into the user's cache).
set -eu
cd "$(dirname "$0")/.."

UV_VERSION=0.13.9
cache="${XDG_CACHE_HOME:-$HOME/.cache}/imagebuild-operator"
uv="$cache/uv-$UV_VERSION/bin/uv"

say() { echo "setup: $*" >&2; }

if ! python3 -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
  if ! command -v apt-get >/dev/null || [ "$(id -u)" != 0 ]; then
    say "Python 3.11 or newer with its venv module is needed: install it, or run this as root on Debian"
    exit 1
  fi
  say "installing python3 and python3-venv"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -yqq --no-install-recommends python3 python3-venv ca-certificates >/dev/null
fi

if [ ! -x "$uv" ]; then
  say "installing uv $UV_VERSION into $cache"
  draft="$cache/.uv-$$"
  trap 'rm -rf "$draft"' EXIT
  python3 -m venv "$draft"
  "$draft/bin/python" -m pip install --quiet --disable-pip-version-check "uv==$UV_VERSION"
  mkdir -p "$cache/uv-$UV_VERSION/bin"
  cp "$draft/bin/uv" "$uv.$$" && mv "$uv.$$" "$uv"
fi

mkdir -p build
ln -sfn "$uv" build/uv
export UV_PYTHON_DOWNLOADS=never
"$uv" sync --locked --all-packages --all-extras --quiet
