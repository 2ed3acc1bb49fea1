#!/bin/sh
# A Postfix of its own for the tests: everything it reads and writes lies in one directory.
#
#   postfix_server.sh DIRECTORY OWNER PLAIN SUBMISSION SMTPS
#
# DIRECTORY holds certificate.pem and key.pem, OWNER is the user id that may read the mail, the rest
# are ports on 127.0.0.1. Prints "ready" when Postfix listens, and stops it, removing DIRECTORY, at
# the end of its own input: when the test closes the pipe, or dies in whatever way. Needs root,
# because Postfix does. Mail for NAME@example.test lands in DIRECTORY/mail/NAME/new.
set -eu
# The keyboard's interrupt reaches the whole process group, and Postfix must be stopped even then.
trap '' INT TERM HUP

directory=$1 owner=$2 plain=$3 submission=$4 smtps=$5

stop() {
    status=$?
    # A Postfix that never started has nothing to stop.
    postfix -c "$directory/conf" stop >&2 || true
    rm -rf "$directory"
    exit "$status"
}
trap stop EXIT

chmod 755 "$directory"
mkdir -p "$directory/conf/sasl" "$directory/queue" "$directory/data" "$directory/mail"
touch "$directory/maillog"
chown postfix "$directory/data"
chown "$owner" "$directory/mail"

cat >"$directory/conf/main.cf" <<END
compatibility_level = 3.6
queue_directory = $directory/queue
data_directory = $directory/data
maillog_file = $directory/maillog
maillog_file_prefixes = $directory

myhostname = mail.example.test
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
smtpd_peername_lookup = no
smtpd_error_sleep_time = 0
smtpd_client_connection_count_limit = 0
smtpd_client_connection_rate_limit = 0

# Nothing leaves this machine and nobody hears of a failure.
mynetworks =
mydestination =
alias_maps =
alias_database =
default_transport = error:this server only delivers to example.test
relay_transport = \$default_transport
local_transport = \$default_transport
notify_classes =

virtual_mailbox_domains = example.test
virtual_mailbox_maps = texthash:$directory/conf/mailboxes
virtual_mailbox_base = $directory/mail
virtual_uid_maps = static:$owner
virtual_gid_maps = static:$(id -g postfix)
virtual_minimum_uid = 1
virtual_mailbox_limit = 0
message_size_limit = 4194304

# The headers stay as they were sent; only trace headers are put in front.
local_header_rewrite_clients =

smtpd_tls_cert_file = $directory/certificate.pem
smtpd_tls_key_file = $directory/key.pem
smtpd_tls_security_level = may
# "Received:" tells the tests how the message came in.
smtpd_tls_received_header = yes
smtpd_sasl_authenticated_header = yes

smtpd_sasl_type = cyrus
smtpd_sasl_path = smtpd
cyrus_sasl_config_path = $directory/conf/sasl
smtpd_sasl_local_domain = example.test
smtpd_sasl_security_options = noanonymous
smtpd_tls_auth_only = yes
END

cat >"$directory/conf/master.cf" <<END
127.0.0.1:$plain inet n - n - - smtpd
127.0.0.1:$submission inet n - n - - smtpd
  -o smtpd_tls_security_level=encrypt
  -o smtpd_sasl_auth_enable=yes
  -o smtpd_sasl_security_options=
  -o smtpd_recipient_restrictions=permit_sasl_authenticated,reject
127.0.0.1:$smtps inet n - n - - smtpd
  -o smtpd_tls_wrappermode=yes
  -o smtpd_sasl_auth_enable=yes
  -o smtpd_recipient_restrictions=permit_sasl_authenticated,reject
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
postlog unix-dgram n - n - 1 postlogd
END

# The command of this Postfix. Only root may name another configuration than the machine's.
cat >"$directory/sendmail" <<END
#!/bin/sh
[ "\$(id -u)" = 0 ] || exec sudo --non-interactive "\$0" "\$@"
exec sendmail -C "$directory/conf" "\$@"
END
chmod 755 "$directory/sendmail"

for name in alice bob carol $(seq -f 'list%03g' 100); do
    echo "$name@example.test $name/"
done >"$directory/conf/mailboxes"

# Debian's Postfix looks beside main.cf, whatever cyrus_sasl_config_path says.
cat >"$directory/conf/sasl/smtpd.conf" <<END
pwcheck_method: auxprop
auxprop_plugin: sasldb
sasldb_path: $directory/conf/sasl/sasldb2
mech_list: PLAIN LOGIN CRAM-MD5 SCRAM-SHA-1 SCRAM-SHA-256 ANONYMOUS
END
printf %s 'wonderland' | saslpasswd2 -p -c -f "$directory/conf/sasl/sasldb2" -u example.test alice
# smtpd looks passwords up as the user postfix.
chown postfix "$directory/conf/sasl/sasldb2"

if ! postfix -c "$directory/conf" start >&2; then
    cat "$directory/maillog" >&2
    exit 1
fi
echo ready
cat >/dev/null
