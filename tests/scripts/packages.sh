# Debian packages that the tests need; sourced by tests/run.

can_install() { has apt-get && { ((EUID == 0)) || { [[ -n $install ]] && has sudo; }; }; }
has_venv() { python3 -c 'import venv, ensurepip' 2>/dev/null; }
as_root() { if ((EUID == 0)); then "$@"; else sudo "$@"; fi; }

missing_packages() {
    has cc || printf '%s\n' gcc libc6-dev
    has curl || printf '%s\n' curl
    if [[ -z ${TEST_MYSQL_URL:-} ]]; then
        # The server without its service, its system user and its system-wide database.
        { has mariadbd && has mariadb-install-db; } || printf '%s\n' mariadb-server-core
        has my_print_defaults || printf '%s\n' mariadb-client-core
    fi
    [[ -n ${TEST_REDIS_URL:-} ]] || has redis-server || printf '%s\n' redis-server
    # For tests behind real proxies, which are left out without them.
    ! can_install || has nginx || printf '%s\n' nginx-light
    ! can_install || has haproxy || printf '%s\n' haproxy
    # For the pages in a browser, which is left out without them.
    ! can_install || has chromium || printf '%s\n' chromium
    ! can_install || has chromedriver || printf '%s\n' chromium-driver
    [[ -z $full ]] || ! can_install || has caddy || printf '%s\n' caddy
    [[ -z $full ]] || ! can_install || has apache2 || printf '%s\n' apache2-bin
    # For schemathesis. Where nothing can be installed, the run leaves it out and says so.
    ! can_install || has_venv || printf '%s\n' python3-venv
}

# Packages ask this file before they start a service; 101 means no.
policy=
forbid_services() {
    [[ ! -e /usr/sbin/policy-rc.d ]] || return 0
    policy=/usr/sbin/policy-rc.d
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
    as_root chmod 755 "$policy"
}

allow_services() {
    [[ -z $policy ]] || as_root rm -f -- "$policy"
    policy=
}

install_missing() {
    local packages
    mapfile -t packages < <(missing_packages)
    ((${#packages[@]})) || return 0
    if ! can_install; then
        die "these Debian packages are missing: ${packages[*]}. Install them, or let this script do it: as root on Debian" \
            "or Ubuntu, or with --install, by sudo. TEST_MYSQL_URL and TEST_REDIS_URL may name servers to use instead."
    fi
    say "installs ${packages[*]}; starts no service"
    forbid_services
    as_root apt-get update -q -o Acquire::Retries=3 </dev/null || die "apt-get update failed"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends \
        -o Acquire::Retries=3 "${packages[@]}" </dev/null || die "apt-get install failed"
    allow_services
    # The service was not started; it should not start with the machine either.
    if has systemctl && [[ " ${packages[*]} " == *' redis-server '* ]]; then
        as_root systemctl disable --quiet redis-server >/dev/null 2>&1 || true
    fi
}
