# A MariaDB and a Redis for one run of the tests; sourced by tests/run.

servers=()

# Should the script be killed, the servers end with it.
tether=()
! has setpriv || tether=(setpriv --pdeathsig TERM)

stop_servers() {
    local pid
    for pid in "${servers[@]}"; do stop_group "$pid"; done
}

is_free() { ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# Below the range from which the system takes ports for outgoing connections.
free_port() {
    local port
    for _ in {1..100}; do
        port=$((RANDOM % 12000 + 20000))
        if is_free "$port"; then
            echo "$port"
            return
        fi
    done
    die "found no free port"
}

# Starts a server that is ready once its log says so; on another port if this one was taken meanwhile.
start_server() { # NAME LOG READY COMMAND...; the command holds @port@; sets `port`
    local name=$1 log=$2 ready=$3 pid tenths
    shift 3
    for _ in {1..5}; do
        port=$(free_port)
        : >"$log"
        in_background "${tether[@]}" "${@//@port@/$port}" >>"$log" 2>&1 </dev/null
        pid=$!
        servers+=("$pid")
        tenths=600
        while kill -0 "$pid" 2>/dev/null && ((tenths-- > 0)); do
            if grep -q -- "$ready" "$log"; then
                say "$name runs on 127.0.0.1:$port"
                return
            fi
            sleep 0.1
        done
        grep -qi 'address already in use' "$log" || break
    done
    tail -n 50 "$log" >&2
    die "$name did not start; its log is above"
}

start_mariadb() {
    local data=$folder/mariadb log=$folder/mariadb.log password as_user=()
    ((EUID != 0)) || as_user=(--user=root)
    password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
    # --force: no name of the machine needs to be known to the DNS.
    mariadb-install-db --no-defaults --force "${as_user[@]}" --datadir="$data" --skip-test-db --skip-name-resolve \
        --auth-root-authentication-method=normal >"$log" 2>&1 || {
        cat "$log" >&2
        die "mariadb-install-db failed; its output is above"
    }
    cat >"$folder/users.sql" <<SQL
CREATE USER 'tests'@'%' IDENTIFIED BY '$password';
GRANT ALL ON *.* TO 'tests'@'%';
SQL
    # Durable by default: InnoDB flushes its log at every commit.
    start_server MariaDB "$log" 'ready for connections' \
        mariadbd --no-defaults "${as_user[@]}" --datadir="$data" --socket="$folder/mariadb.sock" \
        --pid-file="$folder/mariadb.pid" --bind-address=127.0.0.1 --port=@port@ --skip-name-resolve \
        --init-file="$folder/users.sql" --max-connections=1000
    export TEST_MYSQL_URL="mysql://tests:$password@127.0.0.1:$port/"
}

start_redis() {
    mkdir "$folder/redis"
    start_server Redis "$folder/redis.log" 'eady to accept connections' \
        redis-server --bind 127.0.0.1 --port @port@ --dir "$folder/redis" --save '' --appendonly no --daemonize no
    export TEST_REDIS_URL="redis://127.0.0.1:$port"
}
