#!/bin/sh
# An Exim of its own for the tests: it takes logins and messages, and keeps what it takes in its
# queue.
#
#   exim_server.sh EXIM DIRECTORY PLAIN SMTPS
#
# EXIM is the program, wherever it was unpacked. DIRECTORY holds certificate.pem, key.pem and
# authority.pem, which vouches for the clients' certificates; the rest are ports on 127.0.0.1, with
# STARTTLS and with TLS from the first octet. Prints "ready" when Exim listens, and stops it,
# removing DIRECTORY, at the end of its own input: when the test closes the pipe, or dies in
# whatever way. Needs root and the user Debian-exim, because Exim does.
set -eu
# The keyboard's interrupt reaches the whole process group, and Exim must be stopped even then.
trap '' INT TERM HUP

exim=$1 directory=$2 plain=$3 smtps=$4

stop() {
    status=$?
    # An Exim that never started has nothing to stop.
    if [ -s "$directory/exim.pid" ]; then
        kill "$(cat "$directory/exim.pid")" || true
    fi
    rm -rf "$directory"
    exit "$status"
}
trap stop EXIT

chmod 755 "$directory"
mkdir -p "$directory/spool" "$directory/log"
chown -R Debian-exim "$directory/spool" "$directory/log"
chgrp Debian-exim "$directory/key.pem"
chmod 640 "$directory/key.pem"

cat >"$directory/exim.conf" <<END
primary_hostname = mail.example.test
spool_directory = $directory/spool
log_file_path = $directory/log/%slog
pid_file_path = $directory/exim.pid
# Only root and Exim may write this file; nothing leaves this machine.
queue_only
daemon_smtp_ports = $plain : $smtps
local_interfaces = 127.0.0.1
tls_on_connect_ports = $smtps
host_lookup =
rfc1413_query_timeout = 0s
smtp_enforce_sync = true
dsn_advertise_hosts = *
chunking_advertise_hosts = *
keep_environment =
notifier_socket =
log_selector = +smtp_mailauth

tls_advertise_hosts = *
tls_certificate = $directory/certificate.pem
tls_privatekey = $directory/key.pem
tls_verify_certificates = $directory/authority.pem
tls_try_verify_hosts = *

acl_smtp_rcpt = take
acl_smtp_data = take
auth_advertise_hosts = *

begin acl
take:
  accept

begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_advertise_condition = \${if def:tls_in_cipher}
  server_prompts = :
  server_condition = \${if and {{eq{\$auth2}{alice@example.test}}{eq{\$auth3}{wonderland}}}}
  server_set_id = \$auth2
login:
  driver = plaintext
  public_name = LOGIN
  server_advertise_condition = \${if def:tls_in_cipher}
  server_prompts = Username:: : Password::
  server_condition = \${if and {{eq{\$auth1}{alice@example.test}}{eq{\$auth2}{wonderland}}}}
  server_set_id = \$auth1
cram:
  driver = cram_md5
  public_name = CRAM-MD5
  server_secret = \${if eq{\$auth1}{alice@example.test}{wonderland}fail}
  server_set_id = \$auth1
external:
  driver = external
  public_name = EXTERNAL
  server_advertise_condition = \${if eq{\$tls_in_certificate_verified}{1}}
  server_param2 = \${certextract {subject,CN}{\$tls_in_peercert}}
  server_condition = \${if def:auth2}
  server_set_id = \$auth2
END

"$exim" -C "$directory/exim.conf" -bd -oP "$directory/exim.pid" >&2
# It goes to the background before it listens.
waited=0
until grep -qs 'daemon started' "$directory/log/mainlog"; do
    waited=$((waited + 1))
    if [ "$waited" = 100 ]; then
        cat "$directory/log/mainlog" >&2
        exit 1
    fi
    sleep 0.1
done
echo ready
cat >/dev/null
