# What the scripts beside this file share; sourced by them.
# shellcheck shell=bash

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

fail() {
    say "$*"
    exit 1
}

has() { command -v "$1" >/dev/null 2>&1; }

as_root() {
    if [[ $(id -u) == 0 ]]; then
        "$@"
    else
        sudo "$@"
    fi
}

# Installs Debian packages, where there are Debian packages.
install_packages() {
    has apt-get || return 1
    say "installing $*"
    as_root apt-get update -qq </dev/null >&2 &&
        as_root env DEBIAN_FRONTEND=noninteractive \
            apt-get install -y -qq --no-install-recommends "$@" </dev/null >&2
}

# What everything here is built with: Rust, and a C and C++ toolchain for the parts of dependencies
# that are written in those.
need_toolchain() {
    if ! has cargo; then
        PATH=$HOME/.cargo/bin:$PATH
        has cargo || fail "cargo is missing; install Rust with rustup: https://rustup.rs"
    fi
    if ! has cc || ! has c++ || ! has make; then
        install_packages build-essential ||
            fail "a C and C++ compiler and make are missing; install your system's build tools"
    fi
}
